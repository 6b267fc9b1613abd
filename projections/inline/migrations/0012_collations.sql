-- No index is in the order of the database, which may change with the system beneath it: such an index then misses rows,
-- and what must be unique comes twice.
ALTER TABLE tracking ALTER view TYPE text COLLATE "C";
ALTER TABLE job_status
    ALTER executor TYPE text COLLATE "C",
    ALTER external_id TYPE text COLLATE "C",
    ALTER token TYPE text COLLATE "C";
ALTER TABLE running_jobs ALTER access TYPE text COLLATE "C";

-- What is known of how a column is filled goes with its type; what is empty is left as one that never had any.
DO $$
BEGIN
    IF EXISTS (SELECT FROM job_status) THEN
        ANALYZE job_status, running_jobs;
    END IF;
END
$$;
