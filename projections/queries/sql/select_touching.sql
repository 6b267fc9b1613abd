-- What is open and what is past have an index each.
SELECT * FROM projections.job_status
WHERE job IN (
    SELECT job FROM projections.running_jobs
    WHERE entity_type = %(entity_type)s AND entity_id = %(entity_id)s AND to_position IS NULL
    UNION ALL
    SELECT job FROM projections.running_jobs
    WHERE entity_type = %(entity_type)s AND entity_id = %(entity_id)s AND to_position IS NOT NULL
)
