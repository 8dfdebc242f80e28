-- How many readings came from each device of a tenant, and when the first and the last was observed?
--
-- tenant    e.g. ten_north
-- from, to  days of UTC, e.g. 2026-11-14 and 2026-11-21: to is exclusive
SELECT
  building_id,
  device_id,
  count(*) AS readings,
  min(observed_at) AS first_observed_at,
  max(observed_at) AS last_observed_at
FROM atrium.readings
WHERE tenant_id = '${hivevar:tenant}'
  AND month >= substr('${hivevar:from}', 1, 7) AND month <= substr('${hivevar:to}', 1, 7)
  AND (period = month OR (period >= '${hivevar:from}' AND period < '${hivevar:to}'))
  AND observed_ms >= datediff('${hivevar:from}', '1970-01-01') * 86400000L
  AND observed_ms < datediff('${hivevar:to}', '1970-01-01') * 86400000L
GROUP BY building_id, device_id
ORDER BY building_id, device_id;
