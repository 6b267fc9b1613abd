ANALYZE job_status, running_jobs, tracking
