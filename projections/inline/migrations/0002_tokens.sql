-- A task that an executor tells under a token is found again, whatever became of the job.

CREATE INDEX job_status_token ON job_status (token) WHERE token IS NOT NULL;
