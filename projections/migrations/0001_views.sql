-- The views: derived from events alone, in whichever schema the search path names first.

CREATE TABLE tracking (
    view text PRIMARY KEY,
    version integer NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE job_status (
    job text COLLATE "C" PRIMARY KEY,
    type text NOT NULL,
    parent text COLLATE "C",
    root text COLLATE "C" NOT NULL,
    depth integer NOT NULL,
    retry_of text COLLATE "C",
    required boolean NOT NULL,
    cancellable boolean NOT NULL,
    end_action text NOT NULL,
    phase text NOT NULL,
    outcome text,
    cancel_requested boolean NOT NULL,
    contact_lost boolean NOT NULL,
    held boolean NOT NULL,
    held_by text,
    expired boolean NOT NULL,
    disputed boolean NOT NULL,
    residue boolean NOT NULL,
    executor text,
    external_id text,
    token text,
    raw text,
    progress json,
    params json,
    error json,
    result json,
    evidence json,
    warnings json,
    retention json,
    actor text,
    reason text,
    owner text,
    epoch bigint,
    planned_at timestamptz NOT NULL,
    started_at timestamptz,
    closed_at timestamptz,
    estimated_end timestamptz,
    deadline timestamptz,
    last_event text NOT NULL,
    last_at timestamptz NOT NULL,
    closed_recorded_at timestamptz,
    recorded_at timestamptz NOT NULL,
    planned_position bigint NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX job_status_parent ON job_status (parent, planned_position) WHERE parent IS NOT NULL;
CREATE INDEX job_status_external ON job_status (executor, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX job_status_active ON job_status (planned_position) WHERE phase <> 'closed' OR outcome = 'unknown';
CREATE INDEX job_status_live ON job_status (planned_position) WHERE NOT expired;
CREATE INDEX job_status_tree ON job_status (root) WHERE NOT expired;

CREATE TABLE running_jobs (
    job text COLLATE "C" NOT NULL,
    root text COLLATE "C" NOT NULL,
    entity_type text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    access text NOT NULL,
    from_position bigint NOT NULL,
    since timestamptz NOT NULL,
    to_position bigint,
    until timestamptz,
    PRIMARY KEY (job, entity_type, entity_id, role, from_position)
) WITH (fillfactor = 80);

CREATE INDEX running_jobs_open ON running_jobs (entity_type, entity_id, access, from_position) WHERE to_position IS NULL;
CREATE INDEX running_jobs_past ON running_jobs (entity_type, entity_id, from_position);

-- One row a tree that could leave: when its last job closed, under which policy, and what keeps it.
CREATE VIEW job_expiry AS
SELECT
    tree.root,
    top.type,
    coalesce(top.actor, '') AS actor,
    top.retention,
    tree.jobs,
    tree.closed_recorded_at,
    tree.held_by,
    tree.held,
    tree.done AND NOT tree.unresolved AS closed
FROM (
    SELECT
        root,
        count(*) AS jobs,
        max(closed_recorded_at) AS closed_recorded_at,
        bool_and(phase = 'closed') AS done,
        bool_or(outcome IS NOT DISTINCT FROM 'unknown') AS unresolved,
        bool_or(held) AS held,
        min(held_by) FILTER (WHERE held) AS held_by
    FROM job_status
    WHERE NOT expired
    GROUP BY root
) AS tree
JOIN job_status AS top ON top.job = tree.root;
