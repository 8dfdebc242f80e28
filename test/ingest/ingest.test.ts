import { setTimeout as delay } from 'node:timers/promises';
import { EventHubConsumerClient } from '@azure/event-hubs';
import { BlobServiceClient } from '@azure/storage-blob';
import { type RefusedReading } from '../../src/domain/reading';
import { type Counter, type Gauge, type Registry } from '../../src/observability/metrics';
import { type BlobProxy, startBlobProxy } from '../support/blob-proxy';
import { eventually } from '../support/eventually';
import { type LandedFile } from '../support/landing';
import { buildReading } from '../support/readings';
import { type Platform, startPlatform } from './platform';

describe('the ingest worker', () => {
  let platform: Platform;
  beforeEach(async () => {
    platform = await startPlatform({ partitions: 4 });
  });
  afterEach(() => platform.stop());

  it('lands every reading of the stream once, with all that is known of it', async () => {
    const plain = buildReading({ observedAt: 1_790_000_000_123, value: -3.25 });
    const converted = buildReading({
      pointOrdinal: 1,
      original: { value: 70, unit: '[degF]' },
      value: 21.11,
    });
    const stamped = buildReading({ pointOrdinal: 2, undated: { messageId: 'm-1', messageIndex: 4 } });
    await platform.send(0, [plain, converted]);
    await platform.send(1, [stamped]);
    await platform.buildWorker().start();

    const { landing } = await eventually(() => platform.landedAll());
    const rows = await landing.query<Record<string, unknown>>(
      `SELECT partition, sequence::INT AS sequence, row, tenant_id, building_id, space_id, point_id, device_id,
         quantity, epoch_ms(observed_at)::DOUBLE AS observed, epoch_ms(received_at)::DOUBLE AS received, value,
         original_value, original_unit, time_source, message_id, message_index
       FROM landing ORDER BY partition, sequence, row`,
    );
    const common = {
      tenant_id: 'ten_a',
      building_id: 'bld_a',
      space_id: 'spc_a',
      quantity: 'AIR_TEMPERATURE',
      received: plain.receivedAt,
    };
    const absent = {
      original_value: null,
      original_unit: null,
      message_id: null,
      message_index: null,
      time_source: 'DEVICE',
    };
    expect(rows).toEqual([
      {
        ...common,
        ...absent,
        partition: 0,
        sequence: 0,
        row: 0,
        point_id: 'pnt_0',
        device_id: 'dev_0',
        observed: 1_790_000_000_123,
        value: -3.25,
      },
      {
        ...common,
        ...absent,
        partition: 0,
        sequence: 0,
        row: 1,
        point_id: 'pnt_1',
        device_id: 'dev_1',
        observed: converted.observedAt,
        value: 21.11,
        original_value: 70,
        original_unit: '[degF]',
      },
      {
        ...common,
        ...absent,
        partition: 1,
        sequence: 0,
        row: 0,
        point_id: 'pnt_2',
        device_id: 'dev_2',
        observed: stamped.observedAt,
        value: 21.5,
        time_source: 'GATEWAY',
        message_id: 'm-1',
        message_index: 4,
      },
    ]);
  });

  it('keeps what was refused and what it cannot read, apart from the readings', async () => {
    const refused: RefusedReading = {
      tenantId: 'ten_a',
      buildingId: '',
      deviceId: 'dev_9',
      channel: 'temperature',
      observedAt: null,
      receivedAt: 1_790_000_000_050,
      code: 'OBSERVED_AT_INVALID',
      message: "'yesterday' is no RFC 3339 instant",
      raw: '{"temperature":21.5,"time":"yesterday"}',
    };
    await platform.send(0, [buildReading()]);
    await platform.send(0, [], [refused, { ...refused, observedAt: 5, code: 'OBSERVED_TOO_OLD' }]);
    await platform.sendRaw(0, 'telemetry-frame/9', Buffer.from([0, 1, 255]));
    await platform.sendRaw(0, 'telemetry-frame/1', Buffer.from('garbage'));
    await platform.send(0, [buildReading({ pointOrdinal: 1 })]);
    const worker = platform.buildWorker();
    await worker.start();

    const { files, landing } = await eventually(() => platform.landedAll());
    expect(sum(files, 'events')).toBe(5);
    expect(sum(files, 'deadLetters')).toBe(4);
    expect(
      await landing.query('SELECT sequence::INT AS sequence, row, point_id FROM landing ORDER BY 1'),
    ).toEqual([
      { sequence: 0, row: 0, point_id: 'pnt_0' },
      { sequence: 4, row: 0, point_id: 'pnt_1' },
    ]);
    const letters = await landing.query(
      `SELECT sequence::INT AS sequence, row, tenant_id, device_id, code, epoch_ms(observed_at)::INT AS observed,
         hex(body) AS body, raw FROM dead_letters ORDER BY 1, 2`,
    );
    const unreadable = { row: 0, tenant_id: '', device_id: '', code: 'FRAME_UNREADABLE', observed: null };
    expect(letters).toEqual([
      {
        sequence: 1,
        row: 0,
        tenant_id: 'ten_a',
        device_id: 'dev_9',
        code: 'OBSERVED_AT_INVALID',
        observed: null,
        body: null,
        raw: refused.raw,
      },
      {
        sequence: 1,
        row: 1,
        tenant_id: 'ten_a',
        device_id: 'dev_9',
        code: 'OBSERVED_TOO_OLD',
        observed: 5,
        body: null,
        raw: refused.raw,
      },
      { ...unreadable, sequence: 2, body: '0001FF', raw: '{"atrium-schema":"telemetry-frame/9"}' },
      {
        ...unreadable,
        sequence: 3,
        body: Buffer.from('garbage').toString('hex').toUpperCase(),
        raw: '{"atrium-schema":"telemetry-frame/1"}',
      },
    ]);
    expect(await counted(worker, 'atrium_ingest_dead_letters_total', { code: 'FRAME_UNREADABLE' })).toBe(2);
  });

  it('keeps the whole of what was refused and where it came from', async () => {
    const payload = Buffer.from([0xff, 0, 0x1e, 0x0a, ...Buffer.alloc(100_000, 7)]);
    const refused: RefusedReading = {
      tenantId: 'ten_a',
      buildingId: 'bld_a',
      deviceId: 'dev_9',
      channel: '',
      observedAt: null,
      receivedAt: 1_790_000_000_050,
      code: 'PAYLOAD_INVALID',
      message: 'the body is not UTF-8',
      raw: '\ufffd',
      letter: {
        protocol: 'MQTT',
        relayedBy: 'dev_gateway',
        messageId: 'm-1',
        index: 3,
        createdAt: 1_790_000_000_000,
        contentType: 'application/json',
        contentEncoding: 'gzip',
        payload,
      },
    };
    const excerptOnly = {
      ...refused,
      letter: { ...refused.letter!, payload: null, contentType: '', messageId: null },
    };
    await platform.send(0, [], [refused, excerptOnly]);
    const worker = platform.buildWorker();
    await worker.start();
    const { landing } = await eventually(() => platform.landedAll());
    const source = {
      protocol: 'MQTT',
      relayed_by: 'dev_gateway',
      message_id: 'm-1',
      message_index: 3,
      created: 1_790_000_000_000,
      content_type: 'application/json',
      content_encoding: 'gzip',
    };
    expect(
      await landing.query(
        `SELECT hex(body) AS body, protocol, relayed_by, message_id, message_index,
           epoch_ms(created_at)::DOUBLE AS created, content_type, content_encoding FROM dead_letters ORDER BY row`,
      ),
    ).toEqual([
      { ...source, body: payload.toString('hex').toUpperCase() },
      { ...source, body: null, message_id: null, content_type: null },
    ]);
  });

  it('lands what it holds when it is stopped, and its successor begins behind it', async () => {
    const first = platform.buildWorker({ flush: { milliseconds: 600_000 } });
    await first.start();
    await platform.send(0, [buildReading()]);
    await platform.send(1, [buildReading({ pointOrdinal: 1 })]);
    await eventually(async () => expect(await heldPartitions(first)).toEqual([0, 1]));
    await first.stop();
    const { files } = await platform.landedAll();
    expect(files).toHaveLength(2);

    const second = platform.buildWorker();
    await second.start();
    await platform.send(0, [buildReading({ pointOrdinal: 2 })]);
    const after = await eventually(() => platform.landedAll());
    expect(after.files).toHaveLength(3);
    expect(await counted(second, 'atrium_ingest_files_adopted_total')).toBe(0);
  });

  it('lands nothing twice when it dies between a file and its checkpoint', async () => {
    const proxy = await startBlobProxy(platform.blobConnection);
    try {
      const first = platform.buildWorker({ blobs: blobsThrough(proxy) });
      await first.start();
      await platform.send(0, [buildReading()]);
      await eventually(() => platform.landedAll());
      // From its next file on, nothing of this worker reaches Blob any more: to Blob it is dead.
      let dead = false;
      proxy.decide(({ method, url = '' }) => {
        if (dead) return 'fail';
        if (method !== 'PUT' || !url.includes('/landing/')) return 'pass';
        dead = true;
        return 'lose-answer';
      });
      await platform.send(0, [buildReading({ pointOrdinal: 1 })]);
      await eventually(() => expect(dead).toBe(true));
      await first.stop();

      await platform.send(0, [buildReading({ pointOrdinal: 2 })]);
      const second = platform.buildWorker();
      await second.start();
      const { landing } = await eventually(() => platform.landedAll());
      expect(await landing.query('SELECT point_id FROM landing ORDER BY 1')).toEqual([
        { point_id: 'pnt_0' },
        { point_id: 'pnt_1' },
        { point_id: 'pnt_2' },
      ]);
      expect(await counted(second, 'atrium_ingest_files_adopted_total')).toBe(1);
    } finally {
      await proxy.stop();
    }
  });

  it('meets the files that stand when its checkpoint is rolled back or lost', async () => {
    const worker = platform.buildWorker({ flush: { rows: 2 } });
    await worker.start();
    for (let i = 0; i < 10; i++) await platform.send(i % 2, [buildReading({ pointOrdinal: i })]);
    const before = await eventually(() => platform.landedAll());
    await worker.stop();

    const rolled = await rewriteCheckpoints(platform, (partition) => (partition === '0' ? 1 : null));
    expect(rolled).toBe(2);
    const second = platform.buildWorker({ flush: { rows: 3 } });
    await second.start();
    for (let i = 10; i < 14; i++) await platform.send(i % 2, [buildReading({ pointOrdinal: i })]);
    const { files, landing } = await eventually(() => platform.landedAll());
    for (const file of before.files) expect(files).toContainEqual(file);
    expect(
      await landing.query('SELECT count(*)::INT AS n, count(DISTINCT point_id)::INT AS d FROM landing'),
    ).toEqual([{ n: 14, d: 14 }]);
  });

  it('lands once what two workers with other limits fight over', async () => {
    let sent = 0;
    let sending = true;
    const load = (async () => {
      while (sending) {
        const readings = Array.from({ length: 1 + (sent % 5) }, () => buildReading({ pointOrdinal: sent++ }));
        await platform.send(sent % 4, readings);
        // Whoever fights has to get a word in.
        await delay(10);
      }
    })();
    const workers = [];
    try {
      for (let round = 0; round < 4; round++) {
        const worker = platform.buildWorker({
          identifier: `ingest-${round}`,
          flush: { rows: 5 + 37 * round, milliseconds: 100 + 150 * (3 - round) },
        });
        await worker.start();
        workers.push(worker);
        await eventually(() => expect(worker.owned()).not.toEqual([]));
        if (round === 2) await workers[0]!.stop();
      }
    } finally {
      sending = false;
      await load;
    }
    const { landing } = await eventually(() => platform.landedAll());
    expect(
      await landing.query('SELECT count(*)::INT AS n, count(DISTINCT point_id)::INT AS d FROM landing'),
    ).toEqual([{ n: sent, d: sent }]);
  });

  it('waits while Blob fails, says so, and loses nothing', async () => {
    const proxy = await startBlobProxy(platform.blobConnection);
    try {
      const worker = platform.buildWorker({ blobs: blobsThrough(proxy) });
      await worker.start();
      await eventually(() => expect(worker.readiness()).toEqual({ ready: true, reasons: [] }));
      await eventually(() => expect(worker.owned()).toHaveLength(4));
      proxy.decide(({ url = '' }) => (url.includes('/landing/') ? 'fail' : 'pass'));
      await platform.send(0, [buildReading()]);
      await eventually(() => expect(worker.readiness().reasons.join()).toContain('partition 0'));
      await platform.send(0, [buildReading({ pointOrdinal: 1 })]);
      proxy.decide(() => 'pass');
      const { landing } = await eventually(() => platform.landedAll());
      expect(await landing.query('SELECT count(*)::INT AS n FROM landing')).toEqual([{ n: 2 }]);
      await eventually(() => expect(worker.readiness().ready).toBe(true));
    } finally {
      await proxy.stop();
    }
  });

  it('holds no more than its share while Blob is away, reads no further, and lands everything afterwards', async () => {
    const proxy = await startBlobProxy(platform.blobConnection);
    const bytes = 40_000;
    const events = 400;
    const frame = 50 * 28 + 200;
    try {
      const worker = platform.buildWorker({
        blobs: blobsThrough(proxy),
        flush: { bytes, milliseconds: 600_000 },
      });
      await worker.start();
      await eventually(() => expect(worker.owned()).toHaveLength(4));
      proxy.decide(({ url = '' }) => (url.includes('/landing/') ? 'fail' : 'pass'));
      // Sixteen times the share of one partition of four.
      for (let event = 0; event < events; event++) {
        await platform.send(
          0,
          Array.from({ length: 50 }, (_, row) =>
            buildReading({ pointOrdinal: row, observedAt: Date.UTC(2026, 10, 1) + event * 60_000 }),
          ),
        );
      }
      await eventually(() => expect(worker.readiness().reasons.join()).toContain('partition 0'));
      await eventually(async () =>
        expect(await counted(worker, 'atrium_ingest_held_bytes')).toBeGreaterThan(bytes / 4 - frame),
      );
      expect(await counted(worker, 'atrium_ingest_held_bytes')).toBeLessThanOrEqual(bytes / 4 + frame);
      proxy.decide(() => 'pass');
      await eventually(async () =>
        expect(await counted(worker, 'atrium_ingest_events_landed_total')).toBeGreaterThan(events / 2),
      );
      await worker.stop();
      // What is less than its share waits for more; whoever comes next has less patience.
      await platform.buildWorker().start();
      const { landing } = await eventually(() => platform.landedAll());
      expect(await landing.query('SELECT count(*)::INT AS n FROM landing')).toEqual([{ n: events * 50 }]);
    } finally {
      await proxy.stop();
    }
  });

  it('waits for Event Hubs and Blob when it is started before them', async () => {
    await platform.send(0, [buildReading()]);
    const proxy = await startBlobProxy(platform.blobConnection);
    try {
      proxy.decide(() => 'fail');
      const worker = platform.buildWorker({ blobs: blobsThrough(proxy) });
      await worker.start();
      await eventually(() => expect(worker.readiness().reasons.join()).toContain('cannot reach'));
      proxy.decide(() => 'pass');
      await eventually(() => platform.landedAll());
    } finally {
      await proxy.stop();
    }
  });

  it('begins a chain of its own for a hub that is made again, and keeps the old one', async () => {
    await platform.buildWorker().start();
    for (let i = 0; i < 3; i++) await platform.send(0, [buildReading({ pointOrdinal: i })]);
    const old = await platform.streams();
    await eventually(() => platform.landedAll());

    await platform.recreateHubs();
    for (let i = 3; i < 8; i++) await platform.send(0, [buildReading({ pointOrdinal: i })]);
    const { landing } = await eventually(async () =>
      platform.landedAll([...old, ...(await platform.streams())]),
    );
    expect(
      await landing.query(
        `SELECT count(*)::INT AS n, count(DISTINCT point_id)::INT AS d, count(DISTINCT incarnation)::INT AS i
         FROM landing`,
      ),
    ).toEqual([{ n: 8, d: 8, i: 2 }]);
  });
});

function sum(files: readonly LandedFile[], name: 'events' | 'deadLetters'): number {
  return files.reduce((total, file) => total + file[name], 0);
}

/** A counter's value. */
async function counted(
  worker: { metrics: Registry },
  name: string,
  labels: Record<string, string> = {},
): Promise<number> {
  const { values } = await (worker.metrics.getSingleMetric(name) as Counter).get();
  const matching = values.filter((each) =>
    Object.entries(labels).every(([label, value]) => each.labels[label] === value),
  );
  return matching.reduce((total, { value }) => total + value, 0);
}

/** Partitions of which the worker holds events that are in no file yet. */
async function heldPartitions(worker: { metrics: Registry }): Promise<number[]> {
  const lag = worker.metrics.getSingleMetric('atrium_ingest_lag_seconds') as Gauge;
  const { values } = await lag.get();
  return values
    .filter(({ value }) => value > 0)
    .map(({ labels }) => Number(labels.partition))
    .sort();
}

function blobsThrough(proxy: BlobProxy): BlobServiceClient {
  return BlobServiceClient.fromConnectionString(proxy.connectionString, {
    retryOptions: { maxTries: 1 },
  });
}

/** Sets each checkpoint back to a sequence, or removes it. Resolves with how many there were. */
async function rewriteCheckpoints(
  platform: Platform,
  to: (partition: string) => number | null,
): Promise<number> {
  let count = 0;
  for await (const { name } of platform.blobs.listContainers({ prefix: 'checkpoints-telemetry-' })) {
    const container = platform.blobs.getContainerClient(name);
    for await (const blob of container.listBlobsFlat({ includeMetadata: true })) {
      if (!blob.name.includes('/checkpoint/')) continue;
      count++;
      const sequence = to(blob.name.split('/').at(-1)!);
      const client = container.getBlobClient(blob.name);
      if (sequence === null) await client.delete();
      else {
        const offset = await offsetOf(platform, sequence);
        await client.setMetadata({ sequencenumber: String(sequence), offset });
      }
    }
  }
  return count;
}

/** The offset of an event of partition 0. */
async function offsetOf(platform: Platform, sequence: number): Promise<string> {
  const { connectionString } = platform.namespace;
  const client = new EventHubConsumerClient('$Default', connectionString, 'telemetry');
  try {
    return await new Promise<string>((resolve, reject) => {
      client.subscribe(
        '0',
        {
          async processEvents([event]) {
            if (event !== undefined) resolve(event.offset);
          },
          async processError(error) {
            reject(error);
          },
        },
        { startPosition: { sequenceNumber: sequence, isInclusive: true } },
      );
    });
  } finally {
    await client.close();
  }
}
