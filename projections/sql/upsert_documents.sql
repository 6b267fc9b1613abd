-- Columns are what the documents say under the same names. When an event was recorded follows from its position.
INSERT INTO job_status (
    job, type, parent, root, retry_of, required, end_action, phase, outcome, held, held_by, expired, executor,
    external_id, token, retention, actor, owner, epoch, deadline, last_at, planned_position, position,
    closed_recorded_at, document
)
SELECT
    said.job, said.type, said.parent, said.root, said.retry_of, said.required, said.end_action, said.phase,
    said.outcome, said.held, said.held_by, said.expired, said.executor, said.external_id, said.token,
    said.retention, said.actor, said.owner, said.epoch, said.deadline, said.last_at, said.planned_position,
    said.position,
    (SELECT recorded_at FROM ledger.stored_events WHERE notification_id = said.closed_position), document
FROM json_array_elements(%(job_status)s::json) AS told (document)
CROSS JOIN LATERAL json_to_record(document) AS said (
    job text, type text, parent text, root text, retry_of text, required boolean, end_action text, phase text,
    outcome text, held boolean, held_by text, expired boolean, executor text, external_id text, token text,
    retention json, actor text, owner text, epoch bigint, deadline timestamptz, last_at timestamptz,
    planned_position bigint, position bigint, closed_position bigint
)
ON CONFLICT (job) DO UPDATE SET
    type = excluded.type,
    parent = excluded.parent,
    root = excluded.root,
    retry_of = excluded.retry_of,
    required = excluded.required,
    end_action = excluded.end_action,
    phase = excluded.phase,
    outcome = excluded.outcome,
    held = excluded.held,
    held_by = excluded.held_by,
    expired = excluded.expired,
    executor = excluded.executor,
    external_id = excluded.external_id,
    token = excluded.token,
    retention = excluded.retention,
    actor = excluded.actor,
    owner = excluded.owner,
    epoch = excluded.epoch,
    deadline = excluded.deadline,
    last_at = excluded.last_at,
    planned_position = excluded.planned_position,
    position = excluded.position,
    closed_recorded_at = excluded.closed_recorded_at,
    document = excluded.document
