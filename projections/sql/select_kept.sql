-- What the views keep of jobs, whose rows `kept` names and which stands in front: the document, what it touches, and of
-- each entity the last stay that is no product and had begun by a position.
SELECT kept.position, kept.document::text, kept.entities::text, stays.stays, told.planned, told.closing
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
CROSS JOIN LATERAL (
    SELECT
        (
            SELECT state
            FROM ledger.stored_events
            WHERE notification_id = kept.planned_position AND position('"limits"'::bytea IN state) > 0
        ) AS planned,
        CASE WHEN kept.claimed IS NOT NULL THEN (
            SELECT told.state
            FROM (
                SELECT topic, state, originator_version
                FROM ledger.stored_events
                WHERE originator_id = 'job:' || kept.claimed
                OFFSET 0
            ) AS told
            WHERE told.topic = 'job.closing.v1'
            ORDER BY told.originator_version DESC
            LIMIT 1
        ) END AS closing
) AS told
