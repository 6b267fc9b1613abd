-- What the views keep of jobs, whose rows `kept` names and which stands in front: the document, what it touches, and of
-- each entity the last stay that is no product and had begun by a position; its plan where that seems to say limits.
SELECT kept.job, kept.position, kept.document::text, kept.entities::text, stays.stays, planned.state AS planned
FROM kept
CROSS JOIN LATERAL (
    SELECT
        json_agg(json_build_array(
            stay.entity_type, stay.entity_id, stay.role, stay.access, stay.from_position, stay.since, stay.to_position
        )) AS stays
    FROM json_to_recordset(kept.entities) AS touched (type text, id text, role text)
    CROSS JOIN LATERAL (
        SELECT *
        FROM projections.running_jobs
        WHERE
            job = kept.job
            AND entity_type = touched.type
            AND entity_id = touched.id
            AND role = touched.role
            AND from_position <= kept.position
            AND to_position IS DISTINCT FROM from_position
        ORDER BY from_position DESC
        LIMIT 1
    ) AS stay
) AS stays
LEFT JOIN
    ledger.stored_events AS planned
    ON planned.notification_id = kept.planned_position AND position('"limits"'::bytea IN planned.state) > 0
