-- What runs by itself, or can be called, in these schemas and beside them: each with what it is like.

SELECT
    'trigger',
    format('%%I on %%s', tgname, relations.name),
    concat_ws(
        ' | ',
        CASE tgenabled
            WHEN 'A' THEN 'enabled always' WHEN 'O' THEN 'enabled' WHEN 'R' THEN 'enabled on replicas' ELSE 'disabled'
        END,
        pg_get_triggerdef(pg_trigger.oid)
    )
FROM pg_trigger
JOIN relations ON relations.oid = tgrelid
WHERE NOT tgisinternal

UNION ALL
SELECT
    routines.kind,
    functions.name,
    concat_ws(
        ' | ',
        'language ' || lanname,
        CASE WHEN prosecdef THEN 'security definer' ELSE 'security invoker' END,
        CASE provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
        CASE WHEN proisstrict THEN 'strict' END,
        CASE WHEN proleakproof THEN 'leakproof' END,
        'returns ' || pg_get_function_result(functions.oid),
        'with ' || array_to_string(proconfig, ' and '),
        CASE
            WHEN btrim(prosrc) = '' THEN 'an empty body'
            ELSE 'the body ' || left(encode(sha256(convert_to(prosrc, 'UTF8')), 'hex'), 16)
        END
    )
FROM functions
JOIN routines USING (prokind)
JOIN pg_language ON pg_language.oid = prolang

UNION ALL
SELECT
    named.type,
    named.identity,
    (
        SELECT string_agg(format('%%I %%s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
        FROM pg_attribute
        JOIN pg_type ON pg_type.typrelid = attrelid
        WHERE pg_type.oid = objid AND classid = 'pg_type'::regclass AND attnum > 0 AND NOT attisdropped
    )
FROM pg_depend
CROSS JOIN LATERAL pg_identify_object(classid, objid, objsubid) AS named
WHERE refclassid = 'pg_namespace'::regclass
    AND refobjid IN (SELECT oid FROM places)
    AND classid NOT IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_default_acl'::regclass)
    AND deptype = 'n'

UNION ALL
SELECT 'rule', format('%%I on %%s', rulename, relations.name), pg_get_ruledef(pg_rewrite.oid)
FROM pg_rewrite
JOIN relations ON relations.oid = ev_class
WHERE rulename <> '_RETURN'

UNION ALL
SELECT 'row security', relations.name, concat_ws(' | ', 'enabled', CASE WHEN relforcerowsecurity THEN 'forced' END)
FROM relations
WHERE relrowsecurity OR relforcerowsecurity

UNION ALL
SELECT
    'policy',
    format('%%I on %%s', polname, relations.name),
    concat_ws(' | ', pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
FROM pg_policy
JOIN relations ON relations.oid = polrelid

UNION ALL
SELECT 'cast', format('%%s as %%s', format_type(castsource, NULL), format_type(casttarget, NULL)), castfunc::regprocedure::text
FROM pg_cast AS casts
WHERE casts.oid >= 16384 AND NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = 'pg_cast'::regclass AND objid = casts.oid AND deptype = 'e'
)

UNION ALL
SELECT 'event trigger', quote_ident(evtname), format('on %%s | runs %%s', evtevent, evtfoid::regprocedure)
FROM pg_event_trigger AS events
WHERE evtenabled <> 'D' AND NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = 'pg_event_trigger'::regclass AND objid = events.oid AND deptype = 'e'
)
