-- PostgreSQL does not show who listens: only whose last statement was LISTEN, and that to those who may see statements.
SELECT
    pg_notification_queue_usage() AS used,
    listener.pid,
    listener.usename::text AS role,
    listener.application_name AS name,
    listener.datname::text AS database,
    listener.state_change AS since
FROM (VALUES (true)) AS one (row)
LEFT JOIN LATERAL (
    SELECT * FROM pg_stat_activity WHERE query ~* '^\s*listen\M' AND pid <> pg_backend_pid()
    ORDER BY state_change LIMIT 1
) AS listener ON true
