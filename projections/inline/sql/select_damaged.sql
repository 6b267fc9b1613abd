SELECT position, stream, version, topic, why FROM projections.damaged ORDER BY position LIMIT %(limit)s
