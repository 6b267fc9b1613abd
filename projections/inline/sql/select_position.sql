SELECT coalesce(min(position), 0) AS position
FROM projections.tracking
WHERE epoch = (SELECT max(epoch) FROM projections.tracking)
