-- For Hive 3.
-- Written by npm run atrium -- hive-scripts over what is published now. Write it anew after each curation.

CREATE DATABASE IF NOT EXISTS atrium;
USE atrium;

DROP VIEW IF EXISTS readings;
DROP VIEW IF EXISTS landed;
DROP VIEW IF EXISTS curated_through;
DROP VIEW IF EXISTS published;
DROP TABLE IF EXISTS landing;
DROP TABLE IF EXISTS curated;

-- One row a reading, sorted by building, quantity, point and instant. A partition is a tenant and period (a day or a
-- month of UTC, by the instant of observation) in the one generation that was published.
CREATE EXTERNAL TABLE curated (
  tenant_id STRING,
  building_id STRING,
  quantity STRING,
  point_id STRING,
  observed_at BIGINT,
  value DOUBLE,
  space_id STRING,
  device_id STRING,
  received_at BIGINT,
  enqueued_at BIGINT,
  time_source STRING,
  original_value DOUBLE,
  original_unit STRING,
  message_id STRING,
  message_index INT,
  incarnation STRING,
  stream_partition INT,
  sequence BIGINT,
  `row` INT
)
PARTITIONED BY (tenant STRING, month STRING, period STRING)
STORED AS PARQUET
LOCATION 'abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/curated/v1'
TBLPROPERTIES ('external.table.purge' = 'false', 'discover.partitions' = 'false');

-- Every arrival, in stream order. A partition is an hour of UTC, by the instant of arrival, of a partition of one life of
-- the stream; only hours that hold something that is not curated.
CREATE EXTERNAL TABLE landing (
  tenant_id STRING,
  building_id STRING,
  quantity STRING,
  point_id STRING,
  observed_at BIGINT,
  value DOUBLE,
  space_id STRING,
  device_id STRING,
  received_at BIGINT,
  enqueued_at BIGINT,
  time_source STRING,
  original_value DOUBLE,
  original_unit STRING,
  message_id STRING,
  message_index INT,
  sequence BIGINT,
  `row` INT
)
PARTITIONED BY (incarnation STRING, stream_partition INT, dt STRING, hr STRING)
STORED AS PARQUET
LOCATION 'abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/landing'
TBLPROPERTIES ('external.table.purge' = 'false', 'discover.partitions' = 'false');

-- Instants of UTC. Behind good_until folders may be gone, and answers lack what stood in them.
CREATE VIEW published AS
SELECT '2026-10-30 00:00:00' AS written_at, '2026-10-31 00:00:00' AS good_until;

-- Through which event each partition of the stream is in the curated table: of all tenants (*), and of those who are ahead.
CREATE VIEW curated_through AS
SELECT inline(array(
  named_struct('tenant', '*', 'life', '', 'part', -1, 'through', -1L)
)) AS (tenant, life, part, through);

-- What has landed and is not curated, the first of each identity in stream order.
CREATE VIEW landed AS
SELECT tenant_id, building_id, quantity, point_id, observed_at, value, space_id, device_id, received_at, enqueued_at,
  time_source, original_value, original_unit, message_id, message_index, sequence, `row`, incarnation,
  stream_partition,
  observed_ms, substr(period, 1, 7) AS month, period
FROM (
  SELECT tenant_id, building_id, quantity, point_id, observed_at, value, space_id, device_id, received_at, enqueued_at,
    time_source, original_value, original_unit, message_id, message_index, sequence, `row`, incarnation,
    stream_partition,
    observed_ms, period,
    row_number() OVER (
      PARTITION BY tenant_id, building_id, quantity, point_id, period,
        CASE WHEN time_source = 'DEVICE' THEN concat('at ', CAST(observed_ms AS STRING))
          WHEN message_id IS NOT NULL THEN concat('message ', CAST(coalesce(message_index, 0) AS STRING), ' ', message_id)
          ELSE concat('row ', incarnation, ' ', CAST(stream_partition AS STRING), ' ', CAST(sequence AS STRING), ' ',
            CAST(`row` AS STRING))
        END
      ORDER BY CAST(substr(incarnation, 1, instr(incarnation, '-') - 1) AS BIGINT), stream_partition, sequence, `row`
    ) AS nth
  FROM (
    SELECT l.tenant_id, l.building_id, l.quantity, l.point_id, l.observed_at, l.value, l.space_id, l.device_id,
      l.received_at, l.enqueued_at, l.time_source, l.original_value, l.original_unit, l.message_id, l.message_index,
      l.sequence, l.`row`, l.incarnation, l.stream_partition,
      l.observed_at AS observed_ms,
      CAST(date_add('1970-01-01', CAST(floor(l.observed_at / 86400000) AS INT)) AS STRING) AS period
    FROM landing l
    LEFT JOIN (SELECT life, part, through FROM curated_through WHERE tenant = '*') a
      ON a.life = l.incarnation AND a.part = l.stream_partition
    LEFT JOIN (SELECT tenant, life, part, through FROM curated_through WHERE tenant <> '*') o
      ON o.life = l.incarnation AND o.part = l.stream_partition AND o.tenant = l.tenant_id
    WHERE l.sequence > coalesce(a.through, -1) AND l.sequence > coalesce(o.through, -1)
  ) behind
) numbered
WHERE nth = 1;

-- Every reading once.
CREATE VIEW readings AS
SELECT c.tenant AS tenant_id, c.building_id, c.quantity, c.point_id,
  from_utc_timestamp(c.observed_at, 'UTC') AS observed_at, c.value, c.space_id, c.device_id,
  from_utc_timestamp(c.received_at, 'UTC') AS received_at,
  from_utc_timestamp(c.enqueued_at, 'UTC') AS enqueued_at, c.time_source, c.original_value, c.original_unit,
  c.message_id, c.message_index, c.incarnation, c.stream_partition, c.sequence, c.`row`,
  c.observed_at AS observed_ms, c.month, c.period
FROM curated c
UNION ALL
SELECT l.tenant_id, l.building_id, l.quantity, l.point_id, from_utc_timestamp(l.observed_at, 'UTC') AS observed_at,
  l.value, l.space_id, l.device_id, from_utc_timestamp(l.received_at, 'UTC') AS received_at,
  from_utc_timestamp(l.enqueued_at, 'UTC') AS enqueued_at, l.time_source, l.original_value, l.original_unit,
  l.message_id, l.message_index, l.incarnation, l.stream_partition, l.sequence, l.`row`,
  l.observed_ms, l.month, l.period
FROM landed l
LEFT JOIN (
  SELECT tenant, month, building_id, quantity, point_id, observed_at FROM curated WHERE time_source = 'DEVICE'
) d
  ON d.tenant = l.tenant_id AND d.month = l.month AND d.building_id = l.building_id AND d.quantity = l.quantity
    AND d.point_id = l.point_id AND d.observed_at = l.observed_at AND l.time_source = 'DEVICE'
LEFT JOIN (
  SELECT tenant, month, period, building_id, quantity, point_id, message_id, coalesce(message_index, 0) AS message_index,
    CAST(date_add('1970-01-01', CAST(floor(observed_at / 86400000) AS INT)) AS STRING) AS day
  FROM curated WHERE message_id IS NOT NULL
) m
  ON m.tenant = l.tenant_id AND m.month = l.month AND m.building_id = l.building_id AND m.quantity = l.quantity
    AND m.point_id = l.point_id AND m.message_id = l.message_id AND m.message_index = coalesce(l.message_index, 0)
    AND (m.period = l.period OR m.period = m.month) AND m.day = l.period
WHERE d.point_id IS NULL AND m.point_id IS NULL;
