SELECT
    set_config('search_path', 'projections, pg_catalog, pg_temp', true),
    set_config('timezone', 'UTC', true),
    set_config('datestyle', 'ISO', true)
