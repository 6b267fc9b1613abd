SELECT substr(originator_id, 5) AS job, max(notification_id) AS position
FROM ledger.stored_events
WHERE notification_id > %(after)s AND notification_id <= %(until)s AND originator_id LIKE 'job:%%'
GROUP BY originator_id
ORDER BY max(notification_id)
