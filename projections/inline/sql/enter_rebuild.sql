SELECT
    set_config('timezone', 'UTC', true),
    set_config('datestyle', 'ISO', true),
    set_config('synchronous_commit', 'off', true)
