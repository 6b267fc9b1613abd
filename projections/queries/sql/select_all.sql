SELECT * FROM projections.job_status
