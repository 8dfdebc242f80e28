import { CURATED, declared, LANDING, listed, named, shown } from './columns';
import { type Dialect } from './dialect';

export const DATABASE = 'atrium';

/** The tables, empty. The view of readings goes first and comes last: half a state is never answered from. */
export function emptyTables(options: { dialect: Dialect; root: string; landing: boolean }): string {
  const { dialect, root, landing } = options;
  // Nothing is to be looked for in the folders: generations that were replaced, and others never published, lie there too.
  const properties = `TBLPROPERTIES ('external.table.purge' = 'false', 'discover.partitions' = 'false')`;
  return `CREATE DATABASE IF NOT EXISTS ${DATABASE};
USE ${DATABASE};

DROP VIEW IF EXISTS readings;
DROP VIEW IF EXISTS landed;
DROP VIEW IF EXISTS curated_through;
DROP VIEW IF EXISTS published;
DROP TABLE IF EXISTS landing;
DROP TABLE IF EXISTS curated;

-- One row a reading, sorted by building, quantity, point and instant. A partition is a tenant and period (a day or a
-- month of UTC, by the instant of observation) in the one generation that was published.
CREATE EXTERNAL TABLE curated (
${declared(CURATED, dialect)}
)
PARTITIONED BY (tenant STRING, month STRING, period STRING)
STORED AS PARQUET
LOCATION '${root}/curated/v1'
${properties};
${
  landing
    ? `
-- Every arrival, in stream order. A partition is an hour of UTC, by the instant of arrival, of a partition of one life of
-- the stream; only hours that hold something that is not curated.
CREATE EXTERNAL TABLE landing (
${declared(LANDING, dialect)}
)
PARTITIONED BY (incarnation STRING, stream_partition INT, dt STRING, hr STRING)
STORED AS PARQUET
LOCATION '${root}/landing'
${properties};
`
    : ''
}`;
}

/**
 * When it was written, and until when no folder that it names can be gone. Behind that, engines take a folder that is gone
 * for one without rows.
 */
export function publishedView({ writtenAt, goodUntil }: { writtenAt: number; goodUntil: number }): string {
  const text = (instant: number): string => new Date(instant).toISOString().slice(0, 19).replace('T', ' ');
  return `
-- Instants of UTC. Behind good_until folders may be gone, and answers lack what stood in them.
CREATE VIEW published AS
SELECT '${text(writtenAt)}' AS written_at, '${text(goodUntil)}' AS good_until;
`;
}

/** Through which event each partition of the stream is curated: for tenant \`*\` for all, else for this one. */
export interface ThroughRow {
  tenantId: string;
  incarnation: string;
  partition: number;
  sequence: number;
}

export const ALL_TENANTS = '*';

export function throughView(rows: readonly ThroughRow[]): string {
  // An array needs an element: one of no life of the stream.
  const all = [{ tenantId: ALL_TENANTS, incarnation: '', partition: -1, sequence: -1 }, ...rows];
  const structs = all.map(
    ({ tenantId, incarnation, partition, sequence }) =>
      `  named_struct('tenant', '${tenantId}', 'life', '${incarnation}', 'part', ${partition}, 'through', ${sequence}L)`,
  );
  return `
-- Through which event each partition of the stream is in the curated table: of all tenants (*), and of those who are ahead.
CREATE VIEW curated_through AS
SELECT inline(array(
${structs.join(',\n')}
)) AS (tenant, life, part, through);
`;
}

/**
 * The views of what is not curated yet, one row an identity, and of all readings.
 *
 * A file of the landing lies wholly before or behind a position, so a row's own sequence says whether it is curated. (A
 * file beside the chain, a late writer's, repeats rows of the chain: those have the chain's identities.)
 *
 * Identities are those of `docs/architecture.md`: a message without a time is known again within the day of UTC that it was
 * stamped with.
 *
 * Whatever restricts readings restricts each part: identities are compared within tenant, building, quantity, point and
 * month, so that conditions on these reach the curated table's partitions and row groups, also where it is only looked
 * up whether a landed row is curated already.
 *
 * @param only a condition on the landing's rows, over the alias l; empty where there is none.
 */
export function landedViews({ dialect, only }: { dialect: Dialect; only: string }): string {
  const raw = [...LANDING, 'incarnation', 'stream_partition'];
  const plain = raw.map(named);
  const milliseconds = dialect.milliseconds('l.observed_at');
  return `
-- What has landed and is not curated, the first of each identity in stream order.
CREATE VIEW landed AS
SELECT ${listed(plain)},
  observed_ms, substr(period, 1, 7) AS month, period
FROM (
  SELECT ${listed(plain, 4)},
    observed_ms, period,
    row_number() OVER (
      PARTITION BY tenant_id, building_id, quantity, point_id, period,
        CASE WHEN time_source = 'DEVICE' THEN concat('at ', CAST(observed_ms AS STRING))
          WHEN message_id IS NOT NULL THEN concat('message ', CAST(coalesce(message_index, 0) AS STRING), ' ', message_id)
          ELSE concat('row ', incarnation, ' ', CAST(stream_partition AS STRING), ' ', CAST(sequence AS STRING), ' ',
            CAST(\`row\` AS STRING))
        END
      ORDER BY CAST(substr(incarnation, 1, instr(incarnation, '-') - 1) AS BIGINT), stream_partition, sequence, \`row\`
    ) AS nth
  FROM (
    SELECT ${listed(
      raw.map((each) => `l.${named(each)}`),
      6,
    )},
      ${milliseconds} AS observed_ms,
      ${dayOf(milliseconds)} AS period
    FROM landing l
    LEFT JOIN (SELECT life, part, through FROM curated_through WHERE tenant = '${ALL_TENANTS}') a
      ON a.life = l.incarnation AND a.part = l.stream_partition
    LEFT JOIN (SELECT tenant, life, part, through FROM curated_through WHERE tenant <> '${ALL_TENANTS}') o
      ON o.life = l.incarnation AND o.part = l.stream_partition AND o.tenant = l.tenant_id
    WHERE l.sequence > coalesce(a.through, -1) AND l.sequence > coalesce(o.through, -1)${only === '' ? '' : ` AND ${only}`}
  ) behind
) numbered
WHERE nth = 1;

-- Every reading once.
CREATE VIEW readings AS
${curatedPart(dialect)}
UNION ALL
SELECT ${shown('l', dialect)},
  l.observed_ms, l.month, l.period
FROM landed l
LEFT JOIN (
  SELECT tenant, month, building_id, quantity, point_id, observed_at FROM curated WHERE time_source = 'DEVICE'
) d
  ON d.tenant = l.tenant_id AND d.month = l.month AND d.building_id = l.building_id AND d.quantity = l.quantity
    AND d.point_id = l.point_id AND d.observed_at = l.observed_at AND l.time_source = 'DEVICE'
LEFT JOIN (
  SELECT tenant, month, period, building_id, quantity, point_id, message_id, coalesce(message_index, 0) AS message_index,
    ${dayOf(dialect.milliseconds('observed_at'))} AS day
  FROM curated WHERE message_id IS NOT NULL
) m
  ON m.tenant = l.tenant_id AND m.month = l.month AND m.building_id = l.building_id AND m.quantity = l.quantity
    AND m.point_id = l.point_id AND m.message_id = l.message_id AND m.message_index = coalesce(l.message_index, 0)
    AND (m.period = l.period OR m.period = m.month) AND m.day = l.period
WHERE d.point_id IS NULL AND m.point_id IS NULL;
`;
}

/** The view of readings for whoever may not read the landing, which holds all tenants. */
export function curatedView(dialect: Dialect): string {
  return `
-- Every curated reading once.
CREATE VIEW readings AS
${curatedPart(dialect)};
`;
}

function curatedPart(dialect: Dialect): string {
  // The tenant is the partition's, so that a condition on it leaves partitions out.
  return `SELECT ${shown('c', dialect, { tenant_id: 'tenant' })},
  ${dialect.milliseconds('c.observed_at')} AS observed_ms, c.month, c.period
FROM curated c`;
}

/** The day of UTC, whatever the zone of the session. */
function dayOf(milliseconds: string): string {
  return `CAST(date_add('1970-01-01', CAST(floor(${milliseconds} / 86400000) AS INT)) AS STRING)`;
}
