SELECT * FROM job_view WHERE job = %(job)s
