-- As every release takes it, whatever else it takes beside.
SELECT pg_advisory_xact_lock(7308604896899097444)
