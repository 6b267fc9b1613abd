SELECT position, why FROM projections.damaged ORDER BY position
