SELECT
    EXISTS (SELECT FROM projections.job_status WHERE parent = %(parent)s AND outcome IS NULL OFFSET 0)
    OR EXISTS (
        SELECT FROM projections.job_status
        WHERE
            parent = %(parent)s
            AND outcome COLLATE "C" = ANY('{succeeded,failed,cancelled,abandoned,unknown}')
        OFFSET 0
    ) AS has_child
