-- Documents may say the same in another order.
SELECT count(*) AS differences
FROM projections.compared_table AS live
FULL JOIN projections_rebuild.compared_table AS built USING (compared_key)
WHERE live::text IS DISTINCT FROM built::text AND to_jsonb(live) IS DISTINCT FROM to_jsonb(built)
