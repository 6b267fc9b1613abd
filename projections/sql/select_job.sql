SELECT now() AS asked_at, document::text AS told FROM job_status WHERE job = %(job)s
