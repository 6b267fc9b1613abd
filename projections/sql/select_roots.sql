SELECT job, root FROM job_status WHERE job = ANY(%(jobs)s)
