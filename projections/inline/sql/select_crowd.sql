-- Of those who hold an entity with one of some accesses, a tree and a few jobs aside, the oldest, and how many they are.
-- Where a type of job is counted, each job counts once; else once for each access and each time at which it began.
WITH aside AS MATERIALIZED (
    SELECT job FROM json_array_elements_text(%(spoken_of)s::json) AS spoken_of (job)
),
held AS MATERIALIZED (
    SELECT found.job, found.root, found.access, found.since
    FROM json_array_elements_text(%(accesses)s::json) AS against (access)
    CROSS JOIN LATERAL (
        SELECT job, root, access, since FROM projections.running_jobs
        WHERE
            entity_type = %(type)s
            AND entity_id = %(id)s
            AND access = against.access
            AND to_position IS NULL
            AND root < %(root)s
        UNION
        SELECT job, root, access, since FROM projections.running_jobs
        WHERE
            entity_type = %(type)s
            AND entity_id = %(id)s
            AND access = against.access
            AND to_position IS NULL
            AND root > %(root)s
        OFFSET 0
    ) AS found
    WHERE found.job NOT IN (SELECT job FROM aside)
),
counted AS MATERIALIZED (
    SELECT * FROM held WHERE %(job_type)s::text IS NULL
    UNION ALL
    (
        SELECT DISTINCT ON (held.job) held.*
        FROM held
        CROSS JOIN LATERAL (SELECT type FROM projections.job_status WHERE job = held.job OFFSET 0) AS told
        WHERE told.type = %(job_type)s
        ORDER BY held.job, held.since
    )
)
SELECT
    shown.job, shown.root, %(type)s::text AS type, %(id)s::text AS id, shown.access, shown.since, told.owner,
    told.job_type, told.progress, shown.jobs
FROM (
    (SELECT *, (SELECT count(*) FROM counted) AS jobs FROM counted ORDER BY since, job, access LIMIT %(at_most)s)
    UNION ALL
    SELECT open.*, NULL
    FROM aside
    CROSS JOIN LATERAL (
        SELECT job, root, access, since
        FROM projections.running_jobs
        WHERE job = aside.job AND entity_type = %(type)s AND entity_id = %(id)s AND to_position IS NULL
        OFFSET 0
    ) AS open
) AS shown
CROSS JOIN LATERAL (
    SELECT owner, type AS job_type, progress FROM projections.job_status WHERE job = shown.job OFFSET 0
) AS told
WHERE %(job_type)s::text IS NULL OR told.job_type = %(job_type)s
