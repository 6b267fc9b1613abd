SELECT set_config('idle_session_timeout', %(milliseconds)s::int::text, false)
