INSERT INTO history.asked_below (parent, job)
SELECT parent, job FROM unnest(%(parents)s::text[], %(jobs)s::text[]) AS asked (parent, job)
ON CONFLICT DO NOTHING
