DELETE FROM activity WHERE job = ANY(%(jobs)s) AND to_position IS NULL RETURNING *
