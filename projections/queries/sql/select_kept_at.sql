SELECT
    snapshot.job, snapshot.document, snapshot.entities, snapshot.position, NULL::bigint AS planned_position
FROM json_array_elements_text(%(jobs)s::json) AS asked (job)
CROSS JOIN LATERAL (
    SELECT *
    FROM projections.snapshots
    WHERE job = asked.job AND position <= %(position)s
    ORDER BY position DESC
    LIMIT 1
) AS snapshot
