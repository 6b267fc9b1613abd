SELECT
    set_config('idle_session_timeout', %(seconds)s || 's', false),
    set_config('idle_in_transaction_session_timeout', %(seconds)s || 's', false)
