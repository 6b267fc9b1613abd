-- OFFSET 0 keeps the planner to the index, whatever it takes the size of a young table for.
DELETE FROM history.activity
WHERE ctid = ANY(ARRAY(
    SELECT open.ctid
    FROM unnest(%(jobs)s::text[]) AS asked (job)
    CROSS JOIN LATERAL (
        SELECT ctid FROM history.activity WHERE job = asked.job AND to_position IS NULL OFFSET 0
    ) AS open
))
RETURNING *
