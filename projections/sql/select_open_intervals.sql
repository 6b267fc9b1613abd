SELECT * FROM running_jobs WHERE job = ANY(%(jobs)s) AND to_position IS NULL ORDER BY from_position
