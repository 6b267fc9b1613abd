-- A line for each document, so that it is read once, and one for its entities, empty where they have not changed. Columns
-- are what the documents say under the same names, but for `closed_recorded_at`, which follows from the position.
INSERT INTO projections.job_status (
    job, type, parent, root, depth, retry_of, required, end_action, phase, outcome, cancel_requested, contact_lost,
    held, held_by, expired, disputed, executor, external_id, token, progress, retention, actor, owner, epoch,
    deadline, last_at, planned_position, version, closed_recorded_at, document, entities
)
SELECT
    said.job, said.type, said.parent, said.root, coalesce(said.depth, 1), said.retry_of, coalesce(said.required, true),
    coalesce(said.end_action, 'none'), said.phase, said.outcome, coalesce(said.cancel_requested, false),
    coalesce(said.contact_lost, false), coalesce(said.held, false), said.held_by, coalesce(said.expired, false),
    coalesce(said.disputed, false), said.executor, said.external_id, said.token, said.progress, said.retention,
    said.actor, said.owner, said.epoch, said.deadline, said.last_at, said.planned_position, said.version,
    (SELECT recorded_at FROM ledger.stored_events WHERE notification_id = said.closed_position),
    told.document, told.entities
FROM (
    SELECT document::json, entities::json
    FROM ROWS FROM (
        string_to_table(%(documents)s, E'\n'), string_to_table(%(entities)s, E'\n', '')
    ) AS line (document, entities)
    OFFSET 0
) AS told
CROSS JOIN LATERAL json_to_record(told.document) AS said (
    job text, type text, parent text, root text, depth integer, retry_of text, required boolean, end_action text,
    phase text, outcome text, cancel_requested boolean, contact_lost boolean, held boolean, held_by text,
    expired boolean, disputed boolean, executor text, external_id text, token text, progress json, retention json,
    actor text, owner text, epoch bigint, deadline timestamptz, last_at timestamptz, planned_position bigint,
    version bigint, closed_position bigint
)
ON CONFLICT (job) DO UPDATE SET
    type = excluded.type,
    parent = excluded.parent,
    root = excluded.root,
    depth = excluded.depth,
    retry_of = excluded.retry_of,
    required = excluded.required,
    end_action = excluded.end_action,
    phase = excluded.phase,
    outcome = excluded.outcome,
    cancel_requested = excluded.cancel_requested,
    contact_lost = excluded.contact_lost,
    held = excluded.held,
    held_by = excluded.held_by,
    expired = excluded.expired,
    disputed = excluded.disputed,
    executor = excluded.executor,
    external_id = excluded.external_id,
    token = excluded.token,
    progress = excluded.progress,
    retention = excluded.retention,
    actor = excluded.actor,
    owner = excluded.owner,
    epoch = excluded.epoch,
    deadline = excluded.deadline,
    last_at = excluded.last_at,
    planned_position = excluded.planned_position,
    version = excluded.version,
    closed_recorded_at = excluded.closed_recorded_at,
    document = excluded.document,
    entities = coalesce(excluded.entities, job_status.entities)
