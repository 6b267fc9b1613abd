-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT status.*
FROM unnest(%(jobs)s::text[]) AS asked (job)
CROSS JOIN LATERAL (
    SELECT job, root, (document -> 'damaged' ->> 'position')::bigint AS damaged
    FROM projections.job_status WHERE job = asked.job
    OFFSET 0
) AS status
