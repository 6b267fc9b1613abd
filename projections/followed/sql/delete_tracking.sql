DELETE FROM history.tracking WHERE view = ANY(%(views)s)
