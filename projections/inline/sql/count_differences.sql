-- Documents may say the same in another order.
SELECT count(*) AS differences
FROM projections.compared_table AS live
FULL JOIN projections_rebuild.compared_table AS built USING (compared_key)
WHERE live::text IS DISTINCT FROM built::text AND NOT ledger.say_the_same(to_json(live)::text, to_json(built)::text)
