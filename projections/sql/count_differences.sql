SELECT count(*) AS differences
FROM (
    (SELECT t::text FROM projections.compared_table AS t EXCEPT ALL SELECT t::text FROM projections_rebuild.compared_table AS t)
    UNION ALL
    (SELECT t::text FROM projections_rebuild.compared_table AS t EXCEPT ALL SELECT t::text FROM projections.compared_table AS t)
) AS different
