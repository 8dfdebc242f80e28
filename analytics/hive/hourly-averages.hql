-- What were the least, mean and greatest readings of each building of a tenant in each hour of UTC?
--
-- tenant    e.g. ten_north
-- quantity  e.g. AIR_TEMPERATURE
-- from, to  days of UTC, e.g. 2026-11-14 and 2026-11-21: to is exclusive
SELECT
  building_id,
  concat(
    CAST(date_add('1970-01-01', CAST(floor(hour_ms / 86400000) AS INT)) AS STRING), ' ',
    lpad(CAST(CAST(pmod(hour_ms, 86400000) / 3600000 AS INT) AS STRING), 2, '0'), ':00'
  ) AS hour_of_utc,
  count(*) AS readings,
  avg(value) AS average,
  min(value) AS minimum,
  max(value) AS maximum
FROM (
  SELECT building_id, observed_ms - pmod(observed_ms, 3600000) AS hour_ms, value
  FROM atrium.readings
  WHERE tenant_id = '${hivevar:tenant}'
    AND quantity = '${hivevar:quantity}'
    AND month >= substr('${hivevar:from}', 1, 7) AND month <= substr('${hivevar:to}', 1, 7)
    AND (period = month OR (period >= '${hivevar:from}' AND period < '${hivevar:to}'))
    AND observed_ms >= datediff('${hivevar:from}', '1970-01-01') * 86400000L
    AND observed_ms < datediff('${hivevar:to}', '1970-01-01') * 86400000L
) hours
GROUP BY building_id, hour_ms
ORDER BY building_id, hour_of_utc;
