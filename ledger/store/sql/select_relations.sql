-- Schemas and relations: each with what it is like, in words between bars.

SELECT 'schema' AS kind, quote_ident(nspname) AS name, '' AS detail
FROM places

UNION ALL
SELECT
    kinds.kind,
    relations.name,
    concat_ws(
        ' | ',
        CASE relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
        CASE WHEN relkind IN ('v', 'm') THEN 'as ' || pg_get_viewdef(relations.oid) END
    )
FROM relations
JOIN kinds USING (relkind)

UNION ALL
SELECT
    'column',
    format('%%s.%%I', relations.name, attname),
    concat_ws(
        ' | ',
        format_type(atttypid, atttypmod),
        CASE WHEN attcollation = collations.oid THEN 'collation ' || collname END,
        CASE WHEN attnotnull THEN 'not null' END,
        CASE attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END,
        CASE WHEN attgenerated <> '' THEN 'generated ' ELSE 'default ' END || pg_get_expr(adbin, adrelid)
    )
FROM pg_attribute
JOIN relations ON relations.oid = attrelid AND relkind IN ('r', 'p', 'f')
LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
LEFT JOIN pg_collation AS collations ON collations.oid = attcollation AND collname <> 'default'
WHERE attnum > 0 AND NOT attisdropped

UNION ALL
SELECT
    'constraint',
    format('%%I on %%s', conname, relations.name),
    concat_ws(' | ', pg_get_constraintdef(pg_constraint.oid), CASE WHEN NOT convalidated THEN 'not validated' END)
FROM pg_constraint
JOIN relations ON relations.oid = conrelid
WHERE contype NOT IN ('n', 't')

UNION ALL
SELECT
    'index',
    relations.name,
    concat_ws(' | ', pg_get_indexdef(indexrelid), CASE WHEN NOT indisvalid THEN 'invalid' END)
FROM pg_index
JOIN relations ON relations.oid = indexrelid
