SELECT told.state
FROM (
    SELECT topic, state, originator_version FROM ledger.stored_events WHERE originator_id = %(stream)s OFFSET 0
) AS told
WHERE told.topic = 'job.closing.v1'
ORDER BY told.originator_version DESC
LIMIT 1
