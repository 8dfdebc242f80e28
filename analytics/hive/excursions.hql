-- In a building, over some days: when was a quantity outside a range for longer than so many minutes, point by point?
-- The definition is that of the API (excursions, by POINT): an excursion ends RETURNED at the first reading that is back
-- in the range, SILENT at its last reading where none came for three usual intervals of the point (a minute at least),
-- ONGOING where the days end before either is known.
--
-- tenant               e.g. ten_north
-- building             e.g. bld_7f
-- quantity             e.g. AIR_TEMPERATURE
-- from, to             days of UTC, e.g. 2026-11-14 and 2026-11-21: to is exclusive and not in the future
-- low, high            out is what is less than low or greater than high, e.g. 18 and 24
-- longer_than_minutes  e.g. 10
WITH series AS (
  SELECT point_id, observed_at, observed_ms AS t, value,
    CASE WHEN value < ${hivevar:low} OR value > ${hivevar:high} THEN 1 ELSE 0 END AS is_out,
    greatest(CAST(${hivevar:low} AS DOUBLE) - value, value - CAST(${hivevar:high} AS DOUBLE)) AS distance,
    lag(observed_ms) OVER (PARTITION BY point_id ORDER BY observed_ms, value) AS t_before,
    lag(value) OVER (PARTITION BY point_id ORDER BY observed_ms, value) AS value_before,
    lead(observed_ms) OVER (PARTITION BY point_id ORDER BY observed_ms, value) AS t_behind,
    lead(observed_at) OVER (PARTITION BY point_id ORDER BY observed_ms, value) AS behind_at
  FROM atrium.readings
  WHERE tenant_id = '${hivevar:tenant}'
    AND building_id = '${hivevar:building}'
    AND quantity = '${hivevar:quantity}'
    AND month >= substr('${hivevar:from}', 1, 7) AND month <= substr('${hivevar:to}', 1, 7)
    AND (period = month OR (period >= '${hivevar:from}' AND period < '${hivevar:to}'))
    AND observed_ms >= datediff('${hivevar:from}', '1970-01-01') * 86400000L
    AND observed_ms < datediff('${hivevar:to}', '1970-01-01') * 86400000L
),
-- Between readings of one day of UTC.
intervals AS (
  SELECT point_id, t - t_before AS length,
    row_number() OVER (PARTITION BY point_id ORDER BY t - t_before) AS nth,
    count(*) OVER (PARTITION BY point_id) AS n
  FROM series
  WHERE t > t_before AND t - pmod(t, 86400000) = t_before - pmod(t_before, 86400000)
),
-- Three times the lower median.
usual AS (
  SELECT point_id, greatest(60000, 3 * length) AS silence
  FROM intervals
  WHERE 2 * nth - n IN (0, 1)
),
begun AS (
  SELECT s.point_id, s.observed_at, s.t, s.value, s.is_out, s.distance, s.t_behind, s.behind_at,
    coalesce(u.silence, 259200000) AS silence,
    CASE
      WHEN s.is_out = 0 THEN 0
      WHEN s.t_before IS NULL OR s.t - s.t_before > coalesce(u.silence, 259200000) THEN 1
      WHEN s.value_before < ${hivevar:low} OR s.value_before > ${hivevar:high} THEN 0
      ELSE 1
    END AS begins
  FROM series s
  LEFT JOIN usual u ON u.point_id = s.point_id
),
numbered AS (
  SELECT point_id, observed_at, t, value, is_out, distance, t_behind, behind_at, silence,
    sum(begins) OVER (PARTITION BY point_id ORDER BY t, value ROWS UNBOUNDED PRECEDING) AS number
  FROM begun
),
ranked AS (
  SELECT point_id, number, observed_at, t, value, t_behind, behind_at, silence,
    row_number() OVER (PARTITION BY point_id, number ORDER BY distance DESC, t) AS by_distance,
    row_number() OVER (PARTITION BY point_id, number ORDER BY t DESC, value DESC) AS from_the_end
  FROM numbered
  WHERE is_out = 1
),
stretches AS (
  SELECT point_id, number,
    max(silence) AS silence,
    min(t) AS start_t,
    min(observed_at) AS start_at,
    max(t) AS last_t,
    max(observed_at) AS last_at,
    max(CASE WHEN from_the_end = 1 THEN t_behind END) AS t_behind,
    max(CASE WHEN from_the_end = 1 THEN behind_at END) AS behind_at,
    max(CASE WHEN by_distance = 1 THEN value END) AS peak,
    max(CASE WHEN by_distance = 1 THEN observed_at END) AS peak_at
  FROM ranked
  GROUP BY point_id, number
),
ended AS (
  SELECT point_id, start_t, start_at, last_t, last_at, t_behind, behind_at, peak, peak_at,
    CASE
      WHEN t_behind - last_t <= silence THEN 'RETURNED'
      WHEN t_behind IS NULL
        AND datediff('${hivevar:to}', '1970-01-01') * 86400000L - last_t <= silence THEN 'ONGOING'
      ELSE 'SILENT'
    END AS ended_by
  FROM stretches
),
lasting AS (
  SELECT point_id, start_t, start_at, ended_by, peak, peak_at,
    CASE WHEN ended_by = 'RETURNED' THEN t_behind ELSE last_t END AS end_t,
    CASE WHEN ended_by = 'RETURNED' THEN behind_at ELSE last_at END AS end_at
  FROM ended
)
SELECT
  point_id,
  start_at,
  end_at,
  (end_t - start_t) / 60000 AS minutes,
  ended_by,
  peak,
  peak_at
FROM lasting
WHERE end_t - start_t > ${hivevar:longer_than_minutes} * 60000L
ORDER BY start_at, point_id;
