SELECT EXISTS (
    SELECT
    FROM projections.running_jobs
    WHERE
        job = %(job)s
        AND entity_type = %(entity_type)s
        AND entity_id = %(entity_id)s
        AND from_position <= %(position)s
) AS touched
