import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createStreamProducer } from '../../src/stream/producer';
import { FRAME_SCHEMA } from '../../src/stream/frame';
import { HUB } from '../gateway/gateway.support';
import { connectDevice } from '../gateway/mqtt.support';
import { tapped } from '../store/store.support';
import { createSasToken } from '../../simulator/sas-token';
import { eventually } from '../support/eventually';
import { type House, startHouse } from './house';
import { buildRefused } from './letters';

describe('filing dead letters', () => {
  let house: House;
  beforeAll(async () => {
    house = await startHouse();
  });
  afterAll(() => house?.stop());

  it('shows what HTTP and MQTT refused to its tenant, with reason, source and the message whole', async () => {
    const worker = await house.startWorker();
    const owner = await house.member('owner', 'ten_north');
    const { buildingId, device } = await house.provision(owner);
    expect(await house.post(device, { temperature: 21 })).toBe(204);
    const observedAt = new Date(Date.now() - 60_000);
    const tooHot = { temperature: 394, observedAt: observedAt.toISOString() };
    expect(await house.post(device, tooHot, { 'iothub-messageid': 'm-1' })).toBe(400);
    const notJson = Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x7b]);
    expect(await house.post(device, notJson)).toBe(400);
    expect(await house.post(device, 'a;b', { 'content-type': 'text/csv' })).toBe(415);
    const password = createSasToken(
      `HostName=127.0.0.1;DeviceId=${device.device.id};SharedAccessKey=${device.keys!.primary}`,
      60,
    );
    const client = await connectDevice(house.gateway.mqttPort, { deviceId: device.device.id }, { password });
    await client.publishAsync(`devices/${device.device.id}/messages/events/`, '{"pressure":7}', { qos: 1 });
    await client.endAsync();

    const letters = await eventually(async () => {
      const found = await house.letters(owner, buildingId);
      expect(found).toHaveLength(4);
      return found;
    });
    // Newest first.
    expect(letters.map(({ code, protocol, contentType }) => [code, protocol, contentType])).toEqual([
      ['UNKNOWN_CHANNEL', 'MQTT', 'application/senml+json'],
      ['PAYLOAD_INVALID', 'HTTP', 'text/csv'],
      ['PAYLOAD_INVALID', 'HTTP', 'application/json'],
      ['VALUE_OUT_OF_RANGE', 'HTTP', 'application/senml+json'],
    ]);
    expect(letters[3]).toMatchObject({
      tenantId: 'ten_north',
      buildingId,
      deviceId: device.device.id,
      channel: 'temperature',
      observedAt: observedAt.getTime(),
      messageId: 'm-1',
      raw: JSON.stringify(tooHot),
    });
    const payloads = await house.reader.deadLetterPayloads(
      owner,
      letters.map(({ id }) => ({ scopeKey: buildingId, id })),
    );
    expect(payloads.map(String)).toEqual([
      '[{"n":"pressure","v":7}]',
      'a;b',
      String(notJson),
      `[{"n":"temperature","t":${observedAt.getTime() / 1000},"v":394}]`,
    ]);
    expect(payloads[2]!.equals(notJson)).toBe(true);
    await worker.stop();
  });

  it('tells of a message too large to be kept here, which came in a frame larger than the others', async () => {
    const worker = await house.startWorker();
    const owner = await house.member('owner', 'ten_north');
    const { buildingId, device } = await house.provision(owner);
    const size = 200_000;
    expect(await house.post(device, Buffer.alloc(size, '{'))).toBe(400);
    expect(await house.post(device, { temperature: 394 })).toBe(400);
    const letters = await eventually(async () => {
      const found = await house.letters(owner, buildingId);
      expect(found).toHaveLength(2);
      return found;
    });
    expect(letters.map(({ bytes, raw }) => [bytes === size, raw.length])).toEqual([
      [false, 19],
      [true, 1024],
    ]);
    const place = { tenantId: 'ten_north', buildingId };
    expect(await house.reader.replayableLetters(owner, place, { limit: 10 })).toEqual([letters[0]!.id]);
    await worker.stop();
  });

  it('pages and picks by code, device and time, newest first', async () => {
    const owner = await house.member('pager', 'ten_pages');
    const worker = await house.startWorker();
    const place = { tenantId: 'ten_pages', buildingId: 'bld_pages' };
    const start = Date.now() - 10_000;
    for (let event = 0; event < 5; event++) {
      await house.refuse(
        1,
        Array.from({ length: 7 }, (_, i) =>
          buildRefused({
            ...place,
            deviceId: `dev_${i % 2}`,
            code: i === 3 ? 'UNIT_MISMATCH' : 'VALUE_OUT_OF_RANGE',
            receivedAt: start + event * 1_000 + i,
          }),
        ),
      );
    }
    const all = await eventually(async () => {
      const found = await house.letters(owner, 'bld_pages', { first: 4 });
      expect(found).toHaveLength(35);
      return found;
    });
    const received = all.map(({ receivedAt }) => receivedAt);
    expect(received).toEqual([...received].sort((a, b) => b - a));
    expect(new Set(all.map(({ id }) => id)).size).toBe(35);
    expect(await house.letters(owner, 'bld_pages', { code: 'UNIT_MISMATCH', first: 2 })).toHaveLength(5);
    expect(await house.letters(owner, 'bld_pages', { deviceId: 'dev_0' })).toHaveLength(20);
    const middle = { from: start + 1_000, to: start + 3_000 };
    expect(await house.letters(owner, 'bld_pages', middle)).toHaveLength(14);
    const stranger = await house.member('stranger', 'ten_strange');
    expect(await house.letters(stranger, 'bld_pages', { tenantId: 'ten_pages' })).toEqual([]);
    expect(await house.letters(stranger, null, { tenantId: 'ten_pages' })).toEqual([]);
    await worker.stop();
  });

  it('files under the tenant what a device without a place sent', async () => {
    const owner = await house.member('placeless', 'ten_placeless');
    const worker = await house.startWorker();
    await house.refuse(0, [buildRefused({ tenantId: 'ten_placeless', buildingId: '' })]);
    await eventually(async () => expect(await house.letters(owner, null)).toHaveLength(1));
    await worker.stop();
  });

  it('reads what a gateway of the first release refused, which cannot be judged again', async () => {
    const owner = await house.member('first', 'ten_a');
    const worker = await house.startWorker();
    const fixture = join(__dirname, '../fixtures/stream-1.json');
    const { frame } = JSON.parse(readFileSync(fixture, 'utf8')) as { frame: string };
    const producer = createStreamProducer({ namespace: house.namespace, hub: HUB });
    await producer.start();
    await producer.send(0, FRAME_SCHEMA, [Buffer.from(frame, 'base64')]);
    await producer.send(0, 'telemetry-frame/9', [Buffer.from('of a later release')]);
    await producer.stop();
    const [letter] = await eventually(async () => {
      const found = await house.letters(owner, 'bld_a');
      expect(found).toHaveLength(1);
      return found;
    });
    expect(letter).toMatchObject({ raw: '{"temperature":394}', contentType: '', bytes: 0 });
    const place = { tenantId: 'ten_a', buildingId: 'bld_a' };
    expect(await house.reader.replayableLetters(owner, place, { limit: 10 })).toEqual([]);
    await worker.stop();
  });

  it('keeps only so many of a building and minute, counts the rest, and lets another building’s through', async () => {
    const owner = await house.member('flooder', 'ten_flood');
    const flooded = { tenantId: 'ten_flood', buildingId: 'bld_flooded' };
    const worker = await house.startWorker({ limits: { letters: 20 } });
    const minutes = new Set<number>();
    for (let event = 0; event < 30; event++) {
      minutes.add(Math.floor(Date.now() / 60_000));
      await house.refuse(
        0,
        Array.from({ length: 10 }, () => buildRefused(flooded)),
      );
    }
    await house.refuse(0, [buildRefused({ ...flooded, buildingId: 'bld_neighbour' })]);
    await eventually(async () => expect(await house.letters(owner, 'bld_neighbour')).toHaveLength(1));
    const check = async (): Promise<void> => {
      const kept = await house.letters(owner, 'bld_flooded');
      const hour = { from: Date.now() - 3_600_000, to: Date.now(), limit: 100 };
      const omitted = await house.reader.omittedDeadLetters(owner, flooded, hour);
      const counted = omitted.reduce((sum, { count }) => sum + count, 0);
      expect(kept.length).toBeLessThanOrEqual(20 * (minutes.size + 1));
      expect(kept.length + counted).toBe(300);
      expect(omitted[0]!.codes).toEqual({ VALUE_OUT_OF_RANGE: omitted[0]!.count });
    };
    await check();
    await worker.stop();
  });

  it('files each event once through an outage of Cosmos and workers that die, and counts nothing twice', async () => {
    const owner = await house.member('outage', 'ten_outage');
    const place = { tenantId: 'ten_outage', buildingId: 'bld_outage' };
    let away = true;
    let calls = 0;
    const before = (_call: number, name: string): void => {
      if (name === 'read' || name === 'query') return;
      // Away at first, and then every third write has its effect and loses its answer.
      if (away) throw Object.assign(new Error('away'), { code: 400 });
    };
    const after = (_call: number, name: string): void => {
      if (!away && name !== 'read' && ++calls % 3 === 0) {
        throw Object.assign(new Error('lost'), { code: 400 });
      }
    };
    const cosmos = tapped(house.store.cosmos, { before, after });
    const worker = await house.startWorker({ limits: { letters: 25 }, cosmos });
    const start = Math.floor(Date.now() / 60_000);
    for (let event = 0; event < 60; event++) {
      await house.refuse(0, [buildRefused(place)]);
    }
    await eventually(() => expect(worker.readiness().reasons.join()).toContain('away'));
    expect(await house.letters(owner, 'bld_outage')).toEqual([]);
    away = false;
    await eventually(async () => {
      const minutes = Math.floor(Date.now() / 60_000) - start + 1;
      const kept = await house.letters(owner, 'bld_outage');
      const hour = { from: Date.now() - 3_600_000, to: Date.now(), limit: 100 };
      const omitted = await house.reader.omittedDeadLetters(owner, place, hour);
      const counted = omitted.reduce((sum, { count }) => sum + count, 0);
      expect(new Set(kept.map(({ raw }) => raw)).size).toBe(kept.length);
      expect([minutes, kept.length + counted]).toEqual([minutes, 60]);
    });
    await worker.stop();
  });
});
