UPDATE history.entries
SET revised_position = coalesce(entries.revised_position, told.revision)
FROM unnest(%(positions)s::bigint[], %(revisions)s::bigint[]) AS told (position, revision)
WHERE entries.position = told.position
