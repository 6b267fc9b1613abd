DELETE FROM projections.tracking WHERE view = ANY(%(views)s)
