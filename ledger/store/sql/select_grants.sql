-- Who may do what, grants to owners and to who migrates aside, and what new things are granted by default.
, held AS (
    SELECT 'schema ' || quote_ident(nspname) AS name, nspowner AS owner, coalesce(nspacl, acldefault('n', nspowner)) AS acl
    FROM places
    UNION ALL
    SELECT
        kinds.kind || ' ' || name,
        relowner,
        coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner))
    FROM relations
    JOIN kinds USING (relkind)
    UNION ALL
    SELECT format('column %%s.%%I', relations.name, attname), relowner, attacl
    FROM pg_attribute
    JOIN relations ON relations.oid = attrelid
    WHERE attacl IS NOT NULL AND NOT attisdropped
    UNION ALL
    SELECT routines.kind || ' ' || name, proowner, coalesce(proacl, acldefault('f', proowner))
    FROM functions
    JOIN routines USING (prokind)
    UNION ALL
    SELECT 'type ' || named.identity, typowner, coalesce(typacl, acldefault('T', typowner))
    FROM pg_type AS types
    JOIN places ON places.oid = typnamespace
    CROSS JOIN LATERAL pg_identify_object('pg_type'::regclass, types.oid, 0) AS named
    LEFT JOIN pg_class AS rows ON rows.oid = typrelid
    WHERE typelem = 0 AND coalesce(rows.relkind, 'c') = 'c'
    UNION ALL
    SELECT 'parameter ' || parname, 10, paracl FROM pg_parameter_acl
), granted AS (
    SELECT held.name, held.owner, each.grantee, each.privilege_type, each.is_grantable
    FROM held
    CROSS JOIN LATERAL aclexplode(held.acl) AS each
    UNION ALL
    SELECT 'the database', datdba, each.grantee, each.privilege_type, each.is_grantable
    FROM pg_database
    CROSS JOIN LATERAL aclexplode(datacl) AS each
    WHERE datname = current_database() AND each.privilege_type = 'CREATE'
), promised AS (
    SELECT
        format(
            'what %%s makes%%s, %%s',
            owners.name,
            coalesce(' in schema ' || quote_ident(nspname), ''),
            CASE defaclobjtype
                WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
                WHEN 'n' THEN 'schemas' ELSE 'large objects'
            END
        ) AS name,
        defaclrole AS owner,
        each.grantee,
        each.privilege_type,
        each.is_grantable
    FROM pg_default_acl
    JOIN owners ON owners.oid = defaclrole
    LEFT JOIN pg_namespace AS spaces ON spaces.oid = defaclnamespace
    CROSS JOIN LATERAL aclexplode(defaclacl) AS each
    WHERE defaclnamespace IN (SELECT oid FROM places)
        OR (defaclnamespace = 0 AND defaclrole IN (
            SELECT nspowner FROM places UNION ALL SELECT oid FROM pg_roles WHERE rolname = ANY(%(roles)s)
        ))
)
SELECT
    kind,
    format('%%s to %%s', given.name, coalesce(owners.name, 'PUBLIC')),
    string_agg(privilege_type || CASE WHEN is_grantable THEN ' for others too' ELSE '' END, ' | ' ORDER BY privilege_type)
FROM (
    SELECT 'grant' AS kind, granted.* FROM granted
    UNION ALL
    SELECT 'default grant', promised.* FROM promised
) AS given
LEFT JOIN owners ON owners.oid = grantee
WHERE grantee <> owner AND owners.name IS DISTINCT FROM 'who migrates'
GROUP BY kind, given.name, owners.name
