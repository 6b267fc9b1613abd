-- From when to when a job was active, by itself (entity_type and entity_id are then empty) and for each entity that it
-- touched; a row begins with the first stay of the job on the entity and ends with the job. The forks are those of
-- projections/interval_tree.py, over positions and over seconds since 1970: by them the rows that hold a moment are
-- found in one look-up a level, however much there is before and after it.

CREATE TABLE activity (
    entity_type text COLLATE "C" NOT NULL,
    entity_id text COLLATE "C" NOT NULL,
    job text COLLATE "C" NOT NULL,
    from_position bigint NOT NULL,
    to_position bigint,
    since timestamptz NOT NULL,
    until timestamptz,
    position_fork bigint,
    time_fork bigint
);

CREATE INDEX activity_open_job ON activity (job) WHERE to_position IS NULL;
CREATE INDEX activity_open ON activity (entity_type, entity_id, from_position) WHERE to_position IS NULL;
CREATE INDEX activity_open_since ON activity (entity_type, entity_id, since) WHERE to_position IS NULL;
CREATE INDEX activity_begun ON activity (entity_type, entity_id, position_fork, from_position)
WHERE position_fork IS NOT NULL;
CREATE INDEX activity_ended ON activity (entity_type, entity_id, position_fork, to_position)
WHERE position_fork IS NOT NULL;
CREATE INDEX activity_begun_at ON activity (entity_type, entity_id, time_fork, since) WHERE time_fork IS NOT NULL;
CREATE INDEX activity_ended_at ON activity (entity_type, entity_id, time_fork, until) WHERE time_fork IS NOT NULL;

-- Under which parents a job was asked for and refused: planned again, it may have another one.
CREATE TABLE asked_below (
    parent text COLLATE "C" NOT NULL,
    job text COLLATE "C" NOT NULL,
    PRIMARY KEY (parent, job)
);
