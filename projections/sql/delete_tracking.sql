DELETE FROM tracking WHERE view = ANY(%(views)s)
