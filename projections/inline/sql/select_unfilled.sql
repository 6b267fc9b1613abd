-- Whether there are events that the view `told`, which came later than others, has not begun to take in.
SELECT
    EXISTS (SELECT FROM ledger.stored_events)
    AND NOT EXISTS (SELECT FROM projections.tracking WHERE view = 'told') AS unfilled
