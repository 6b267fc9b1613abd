-- Which owners have said lately that they live. Heartbeats are no history: a row an owner, overwritten, not replayed.

CREATE TABLE leases (
    owner text COLLATE "C" PRIMARY KEY,
    epoch bigint NOT NULL,
    renewed_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL
) WITH (fillfactor = 50);
