SELECT job FROM projections.job_status WHERE version >= %(version)s ORDER BY planned_position
