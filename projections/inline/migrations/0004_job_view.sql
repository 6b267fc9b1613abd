-- A job is shown with the columns that an answer needs, and its entities unsorted, for whoever reads them sorts sooner.

DROP VIEW job_view;

-- A job with what it touches: what it holds, what it held when it closed, and what it made; not what it let go before.
CREATE VIEW job_view AS
SELECT
    status.job,
    status.type,
    status.parent,
    status.root,
    status.retry_of,
    status.required,
    status.end_action,
    status.phase,
    status.outcome,
    status.cancel_requested,
    status.contact_lost,
    status.held,
    status.expired,
    status.residue,
    status.executor,
    status.external_id,
    status.token,
    status.raw,
    status.progress,
    status.params,
    status.error,
    status.result,
    status.evidence,
    status.warnings,
    status.actor,
    status.reason,
    status.owner,
    status.epoch,
    status.planned_at,
    status.started_at,
    status.closed_at,
    status.estimated_end,
    status.deadline,
    status.last_event,
    status.last_at,
    status.progress_at,
    status.planned_position,
    status.version,
    status.position,
    touched.entities,
    now() AS asked_at
FROM job_status AS status
LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(from_position, entity_type, entity_id, role, access)) AS entities
    FROM running_jobs
    WHERE
        running_jobs.job = status.job
        AND (to_position IS NULL OR to_position = from_position OR to_position = status.closed_position)
) AS touched ON true;
