SELECT now() AS asked_at, document::text, entities::text FROM projections.job_status WHERE job = %(job)s
