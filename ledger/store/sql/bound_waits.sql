-- Where the connection was given shorter bounds, these stand.
SELECT set_config(bound.name, bound.milliseconds::text, %(local)s)
FROM (VALUES ('lock_timeout', %(lock)s::int), ('idle_in_transaction_session_timeout', %(still)s::int)) AS bound (name, milliseconds)
WHERE coalesce(nullif(current_setting(bound.name)::interval, interval '0') > bound.milliseconds * interval '1 ms', true)
