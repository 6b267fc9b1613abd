-- The roles of the ledger with what they may beyond every role, and what they are members of.

SELECT
    'role',
    quote_ident(rolname),
    concat_ws(
        ' | ',
        CASE WHEN rolsuper THEN 'SUPERUSER' END,
        CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
        CASE WHEN rolcreatedb THEN 'CREATEDB' END,
        CASE WHEN rolreplication THEN 'REPLICATION' END,
        CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
        CASE WHEN rolcanlogin THEN 'LOGIN' END
    )
FROM pg_roles
WHERE rolname = ANY(%(roles)s)

UNION ALL
SELECT 'membership', format('%%I in %%I', members.rolname, groups.rolname), ''
FROM pg_auth_members
JOIN pg_roles AS members ON members.oid = member
JOIN pg_roles AS groups ON groups.oid = roleid
WHERE members.rolname = ANY(%(roles)s)
