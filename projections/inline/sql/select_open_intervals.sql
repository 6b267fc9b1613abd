-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT held.*
FROM unnest(%(jobs)s::text[]) AS asked (job)
CROSS JOIN LATERAL (SELECT * FROM projections.running_jobs WHERE job = asked.job OFFSET 0) AS held
WHERE held.to_position IS NULL
ORDER BY held.from_position
