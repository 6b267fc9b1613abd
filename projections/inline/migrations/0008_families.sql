-- The children of a parent are found by how they ended, so that nobody goes through ten thousand of them to see whether
-- one is open; retries by what they retry. Who holds an entity is found by tree, since its own is never in the way.

DROP INDEX job_status_parent;
CREATE INDEX job_status_parent ON job_status (parent, outcome COLLATE "C", required, planned_position)
WHERE parent IS NOT NULL;
CREATE INDEX job_status_retries ON job_status (parent, retry_of) WHERE retry_of IS NOT NULL;

DROP INDEX running_jobs_open;
CREATE INDEX running_jobs_open ON running_jobs (entity_type, entity_id, access, root, from_position)
WHERE to_position IS NULL;

-- A plan serves whatever is asked for, so it must not be made for the one parent that has most of all jobs below it, nor
-- for the one entity that most of them hold: few rows are expected of each name, however unevenly they are spread.
ALTER TABLE job_status
    ALTER parent SET (n_distinct = -0.1),
    ALTER root SET (n_distinct = -0.1),
    ALTER retry_of SET (n_distinct = -0.1),
    ALTER external_id SET (n_distinct = -0.5),
    ALTER token SET (n_distinct = -0.5);
ALTER TABLE running_jobs
    ALTER job SET (n_distinct = -0.2),
    ALTER root SET (n_distinct = -0.1),
    ALTER entity_id SET (n_distinct = -0.1);

-- Such a number counts from the next ANALYZE on; what is empty is left as one that never had any.
DO $$
BEGIN
    IF EXISTS (SELECT FROM job_status) THEN
        ANALYZE job_status, running_jobs;
    END IF;
END
$$;
