SELECT coalesce(min(position), 0) AS position FROM projections_rebuild.tracking
