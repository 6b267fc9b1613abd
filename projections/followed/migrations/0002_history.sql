-- The search index for auditors: one row an event, with what was so of its job then; nothing here ever expires.

CREATE TABLE entries (
    position bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    event text COLLATE "C" NOT NULL,
    job text COLLATE "C",
    parent text COLLATE "C",
    type text COLLATE "C",
    actor text COLLATE "C",
    owner text COLLATE "C",
    executor text COLLATE "C",
    outcome text COLLATE "C",
    seconds double precision,
    held boolean NOT NULL,
    expired boolean NOT NULL,
    disputed boolean NOT NULL,
    cancel_requested boolean NOT NULL,
    contact_lost boolean NOT NULL,
    residue boolean NOT NULL,
    verdict boolean NOT NULL,
    revised_position bigint,
    words text COLLATE "C"
);

-- Each term of a filter has an index in the order of the ledger, so that a page is read from where the last one ended.
CREATE INDEX entries_recorded ON entries (recorded_at, position);
CREATE INDEX entries_occurred ON entries (occurred_at, position);
CREATE INDEX entries_event ON entries (event, position);
CREATE INDEX entries_type ON entries (type, position) WHERE type IS NOT NULL;
CREATE INDEX entries_parent ON entries (parent, position) WHERE parent IS NOT NULL;
CREATE INDEX entries_actor ON entries (actor, position) WHERE actor IS NOT NULL;
CREATE INDEX entries_owner ON entries (owner, position) WHERE owner IS NOT NULL;
CREATE INDEX entries_executor ON entries (executor, position) WHERE executor IS NOT NULL;
CREATE INDEX entries_outcome ON entries (outcome, position) WHERE outcome IS NOT NULL;
CREATE INDEX entries_held ON entries (position) WHERE held;
CREATE INDEX entries_expired ON entries (position) WHERE expired;
CREATE INDEX entries_disputed ON entries (position) WHERE disputed;
CREATE INDEX entries_cancel_requested ON entries (position) WHERE cancel_requested;
CREATE INDEX entries_contact_lost ON entries (position) WHERE contact_lost;
CREATE INDEX entries_residue ON entries (position) WHERE residue;
CREATE INDEX entries_verdict ON entries (position) WHERE verdict;
CREATE INDEX entries_revised ON entries (position) WHERE revised_position IS NOT NULL;

-- What each event touched: the entities of its job before and after it.
CREATE TABLE touched (
    entity_type text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (entity_type, entity_id, position)
);

-- What is so of each job as the last event that was followed left it.
CREATE TABLE jobs (
    job text COLLATE "C" PRIMARY KEY,
    parent text COLLATE "C",
    type text NOT NULL,
    actor text,
    owner text,
    executor text,
    phase text NOT NULL,
    planned_at timestamptz NOT NULL,
    sent_at timestamptz,
    started_at timestamptz,
    closed_at timestamptz,
    outcome_position bigint,
    held boolean NOT NULL,
    expired boolean NOT NULL,
    disputed boolean NOT NULL,
    cancel_requested boolean NOT NULL,
    contact_lost boolean NOT NULL,
    residue boolean NOT NULL,
    entities json NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX jobs_parent ON jobs (parent) WHERE parent IS NOT NULL;
