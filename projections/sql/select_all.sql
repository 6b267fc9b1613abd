SELECT * FROM job_status
