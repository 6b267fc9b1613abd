SELECT now() AS asked_at, document::text, entities::text FROM job_status WHERE job = %(job)s
