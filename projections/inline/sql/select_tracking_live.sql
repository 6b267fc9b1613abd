SELECT view, version, position FROM projections.tracking ORDER BY view
