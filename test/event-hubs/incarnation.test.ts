import { earliestEventPosition, type EventPosition } from '@azure/event-hubs';
import { readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseConfiguration } from '../../emulators/event-hubs/configuration';
import { openHubs } from '../../emulators/event-hubs/hubs';
import { createDisk } from '../../emulators/event-hubs/log/disk';
import { createLogger } from '../../src/observability/logger';
import { OperatorError } from '../../src/observability/operator-error';
import { createEventHubsEmulator } from '../../emulators/event-hubs';
import { collect, type Collector } from '../contract/event-hubs.target';
import { HUB, type Namespace, openNamespace, PATIENT } from './support/namespace';

describe('an event hub has one life after another', () => {
  let namespace: Namespace;
  beforeEach(async () => {
    namespace = await openNamespace();
  });
  afterEach(() => namespace.stop());

  const partitionId = '0';
  const send = (count: number): Promise<void> =>
    namespace.producer(PATIENT).sendBatch(
      Array.from({ length: count }, (_, body) => ({ body })),
      { partitionId },
    );
  const read = (startPosition: EventPosition): Collector =>
    collect(namespace.consumer(), { partition: partitionId, startPosition });
  const wipe = (dataDir: string): void => {
    for (const name of readdirSync(dataDir)) rmSync(join(dataDir, name), { recursive: true });
  };
  async function events(): Promise<Collector['events']> {
    const { lastEnqueuedSequenceNumber } = await namespace.consumer().getPartitionProperties(partitionId);
    const reader = read(earliestEventPosition);
    const found = await reader.until(lastEnqueuedSequenceNumber + 1);
    await reader.close();
    return found;
  }

  test('a restart keeps events, sequence numbers, offsets, times and the time of creation', async () => {
    await send(5);
    const before = { events: await events(), properties: await namespace.consumer().getEventHubProperties() };
    await namespace.restart();
    const after = { events: await events(), properties: await namespace.consumer().getEventHubProperties() };
    expect(after.properties).toEqual(before.properties);
    const facts = (list: Collector['events']) =>
      list.map(({ body, sequenceNumber, offset, enqueuedTimeUtc }) => ({
        body: body as number,
        sequenceNumber,
        offset,
        enqueuedTimeUtc,
      }));
    expect(facts(after.events)).toEqual(facts(before.events));
  });

  test('a checkpoint goes on working after a restart', async () => {
    await send(5);
    const checkpoint = (await events())[2]!;
    await namespace.restart();
    const reader = read({ offset: checkpoint.offset });
    expect((await reader.until(2)).map((each) => each.body as number)).toEqual([3, 4]);
    await reader.close();
  });

  test('a wiped folder is a new incarnation, created now and empty', async () => {
    await send(1);
    const { createdOn } = await namespace.consumer().getEventHubProperties();
    await namespace.restart(wipe);
    const consumer = namespace.consumer();
    expect((await consumer.getEventHubProperties()).createdOn.getTime()).toBeGreaterThan(createdOn.getTime());
    expect((await consumer.getPartitionProperties(partitionId)).isEmpty).toBe(true);
  });

  test('an offset from another life is refused and told why, also when the new log has grown past it', async () => {
    await send(3);
    const checkpoint = (await events())[1]!;
    await namespace.restart(wipe);
    await send(10);
    const reader = read({ offset: checkpoint.offset });
    const error = await reader.failure();
    expect(error).toMatchObject({ code: 'ArgumentError' });
    expect(error.message).toMatch(/from another incarnation: this event hub was created at 20/);
    expect(reader.events).toEqual([]);
    await reader.close();
  });

  test('a sequence number from beyond the end of the new log is refused and told why', async () => {
    await send(3);
    await namespace.restart(wipe);
    await send(1);
    const reader = read({ sequenceNumber: 2 });
    const error = await reader.failure();
    expect(error).toMatchObject({ code: 'ArgumentError' });
    expect(error.message).toMatch(
      /The last sequence number in the system is '0'\. It is beyond the end of the log/,
    );
    await reader.close();
  });

  test('every folder that is made for a hub is on disk before the hub takes events', async () => {
    const dataDir = join(namespace.dataDir, 'new', 'data');
    const synced: string[] = [];
    const disk = createDisk({ fsync: true });
    const configuration = parseConfiguration({
      UserConfig: { NamespaceConfig: [{ Name: 'n', Entities: [{ Name: 'h', PartitionCount: 1 }] }] },
    }).configuration;
    const logger = createLogger({ name: 'hubs', level: 'silent' });
    const hubs = await openHubs({
      data: dataDir,
      configuration,
      disk: { ...disk, syncFolder: (path) => disk.syncFolder(path).then(() => void synced.push(path)) },
      logger,
      segmentBytes: 1_000_000,
      now: Date.now,
    });
    await hubs.close();
    for (const path of ['', 'n', 'n/h', 'n/h/p00']) expect(synced).toContain(join(dataDir, path));
    expect(synced).toContain(dirname(dataDir));
  });

  test('another number of partitions is refused: it is another event hub', async () => {
    await namespace.restart(() => undefined);
    await namespace.emulator.stop();
    const changed = createEventHubsEmulator({ dataDir: namespace.dataDir, hubs: { [HUB]: 3 } });
    await expect(changed.start()).rejects.toThrow(OperatorError);
    await expect(changed.start()).rejects.toThrow(/a change of the partition count is a new event hub/);
  });

  test('events without their incarnation file are refused, not taken for a new hub', async () => {
    await send(1);
    await namespace.emulator.stop();
    rmSync(join(namespace.dataDir, 'local', HUB, 'incarnation.json'));
    const again = createEventHubsEmulator({ dataDir: namespace.dataDir, hubs: { [HUB]: 2 } });
    await expect(again.start()).rejects.toThrow(/no incarnation\.json/);
  });

  test('a second process on the same folder is refused', async () => {
    const second = createEventHubsEmulator({ dataDir: namespace.dataDir, hubs: { [HUB]: 2 } });
    await expect(second.start()).rejects.toThrow(/in use by another event-hubs process/);
  });
});
