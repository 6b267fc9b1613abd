-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
SELECT known.*
FROM unnest(%(jobs)s::text[]) AS asked (job)
CROSS JOIN LATERAL (SELECT * FROM history.jobs WHERE job = asked.job OFFSET 0) AS known
