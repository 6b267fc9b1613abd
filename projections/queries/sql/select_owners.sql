SELECT owner, coalesce(epoch, 0) AS epoch, count(*) AS jobs
FROM projections.job_status
WHERE (phase <> 'closed' OR outcome = 'unknown') AND owner IS NOT NULL
GROUP BY owner, epoch
ORDER BY owner, epoch
