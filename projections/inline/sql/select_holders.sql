-- Each access has a search of its own: who asks for shared access to what thousands share must not read them all. The
-- order is that of the index, and so there is one way to it, whatever the statistics say.
SELECT held.*, told.owner, told.job_type, told.progress
FROM (
    SELECT asked.access AS asked, found.*
    FROM json_to_recordset(%(demands)s::json) AS asked (type text, id text, access text)
    CROSS JOIN LATERAL (VALUES ('exclusive'), ('shared')) AS against (access)
    CROSS JOIN LATERAL (
        SELECT job, root, entity_type AS type, entity_id AS id, access, since
        FROM projections.running_jobs
        WHERE entity_type = asked.type AND entity_id = asked.id AND access = against.access AND to_position IS NULL
        ORDER BY entity_type, entity_id, access, root, from_position
        LIMIT %(at_most)s
    ) AS found
    WHERE asked.access = 'exclusive' OR against.access = 'exclusive'
) AS held
CROSS JOIN LATERAL (
    SELECT owner, type AS job_type, progress FROM projections.job_status WHERE job = held.job OFFSET 0
) AS told
