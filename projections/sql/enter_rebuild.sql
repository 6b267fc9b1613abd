SELECT
    set_config('search_path', 'pg_catalog, projections_rebuild, pg_temp', true),
    set_config('timezone', 'UTC', true),
    set_config('datestyle', 'ISO', true),
    set_config('synchronous_commit', 'off', true)
