INSERT INTO history.jobs
SELECT * FROM json_populate_recordset(NULL::history.jobs, %(rows)s)
ON CONFLICT (job) DO UPDATE SET
    parent = excluded.parent,
    type = excluded.type,
    actor = excluded.actor,
    owner = excluded.owner,
    executor = excluded.executor,
    phase = excluded.phase,
    planned_at = excluded.planned_at,
    sent_at = excluded.sent_at,
    started_at = excluded.started_at,
    closed_at = excluded.closed_at,
    outcome_position = excluded.outcome_position,
    held = excluded.held,
    expired = excluded.expired,
    disputed = excluded.disputed,
    cancel_requested = excluded.cancel_requested,
    contact_lost = excluded.contact_lost,
    residue = excluded.residue,
    entities = excluded.entities
