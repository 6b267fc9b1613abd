SELECT now() AS asked_at, job, planned_position, document::text, entities::text FROM projections.job_status WHERE job = %(job)s
