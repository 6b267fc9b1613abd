-- Reads every job: asked only of an owner that never started, and before one is fenced.
SELECT max(coalesce(epoch, 0)) AS epoch FROM projections.job_status WHERE owner = %(owner)s
