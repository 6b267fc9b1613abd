CREATE SCHEMA IF NOT EXISTS ledger;
CREATE SCHEMA IF NOT EXISTS projections;
CREATE SCHEMA IF NOT EXISTS projections_rebuild;
CREATE SCHEMA IF NOT EXISTS history;
CREATE TABLE IF NOT EXISTS ledger.migrations (
    schema text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (schema, number)
);
