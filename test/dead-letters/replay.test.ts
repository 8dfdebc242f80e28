import { type Assignment } from '../../src/domain/device';
import { type QuantityName } from '../../src/domain/quantity';
import { type DeviceDocument } from '../../src/store/documents';
import { type StreamReader } from '../gateway/gateway.support';
import { freshKey, tapped, valueOf } from '../store/store.support';
import { eventually } from '../support/eventually';
import { type House, startHouse } from './house';
import { buildRefused } from './letters';

describe('replaying dead letters', () => {
  let house: House;
  let stream: StreamReader;
  beforeAll(async () => {
    house = await startHouse();
    stream = await house.readStream();
  });
  afterAll(async () => {
    await stream?.stop();
    await house?.stop();
  });

  /** As when the device's model gets a channel that was forgotten. */
  const withChannel =
    (channel: string, quantity: QuantityName, unit: string, from = 0) =>
    (device: DeviceDocument): DeviceDocument => {
      const [first] = device.assignments;
      const added: Assignment = {
        ...first!,
        channel,
        quantity,
        unit,
        from,
        pointId: `pnt_${channel}_${device.id}`,
        pointOrdinal: 900,
      };
      return { ...device, assignments: [...device.assignments, added] };
    };

  const lettersOf = (scope: Awaited<ReturnType<House['member']>>, buildingId: string, count: number) =>
    eventually(async () => {
      const found = await house.letters(scope, buildingId);
      expect(found).toHaveLength(count);
      return found;
    });

  it('puts what is mended into the stream with its point and its instants, and leaves the rest refused', async () => {
    const jobs = await house.startJobs();
    const owner = await house.member('owner', 'ten_north');
    const { buildingId, device } = await house.provision(owner);
    const at = (seconds: number): string => new Date(Date.now() - seconds * 1_000).toISOString();
    const late = at(3_600);
    const payload = [
      { humidity: 41, observedAt: late },
      { humidity: 42, temperature: 394, observedAt: late.replace(/\d{3}Z$/, '999Z') },
    ];
    expect(await house.post(device, payload)).toBe(400);
    expect(await house.post(device, { humidity: 43 })).toBe(400);
    await lettersOf(owner, buildingId, 4);

    // Before anything is mended all of it is refused again, and filed no second time.
    const early = await house.replay(owner, buildingId);
    expect(early.job).toMatchObject({ state: 'SUCCEEDED', total: 4, done: 4, failed: 4 });
    await house.change(buildingId, device.device.id, withChannel('humidity', 'RELATIVE_HUMIDITY', '%'));
    const key = freshKey();
    const mended = await house.replay(owner, buildingId, {}, key);
    expect(mended.job).toMatchObject({ state: 'SUCCEEDED', total: 4, failed: 1 });
    expect(mended.rows.map(({ deviceId }) => deviceId)).toEqual(Array(4).fill(device.device.id));
    expect(mended.rows.find(({ error }) => error !== null)!.error!.message).toContain('VALUE_OUT_OF_RANGE');

    const letters = await lettersOf(owner, buildingId, 4);
    expect(letters.map(({ channel, replay }) => [channel, replay!.outcome]).sort()).toEqual([
      ['humidity', 'ACCEPTED'],
      ['humidity', 'ACCEPTED'],
      ['humidity', 'ACCEPTED'],
      ['temperature', 'REFUSED'],
    ]);
    const replayed = await eventually(() => {
      const mine = stream.readings.filter((each) => each.buildingId === buildingId);
      expect(mine).toHaveLength(3);
      return mine;
    });
    const undatedLetter = letters.find(({ raw }) => raw.includes('43'))!;
    expect(replayed.map(({ value, observedAt, pointId }) => [value, observedAt, pointId]).sort()).toEqual([
      [41, Date.parse(late), `pnt_humidity_${device.device.id}`],
      [42, Date.parse(late.replace(/\d{3}Z$/, '999Z')), `pnt_humidity_${device.device.id}`],
      [43, undatedLetter.receivedAt, `pnt_humidity_${device.device.id}`],
    ]);
    expect(replayed.find(({ value }) => value === 43)!.receivedAt).toBe(undatedLetter.receivedAt);
    expect(stream.undated.find(({ pointId }) => pointId === replayed[0]!.pointId)).toMatchObject({
      messageId: undatedLetter.id,
      messageIndex: 0,
    });

    // The same key is the same job; another finds only what is still refused.
    expect((await house.replay(owner, buildingId, {}, key)).job.jobId).toBe(mended.job.jobId);
    expect((await house.replay(owner, buildingId)).job).toMatchObject({ total: 1, failed: 1 });
    expect(stream.readings.filter((each) => each.buildingId === buildingId)).toHaveLength(3);
    await jobs.stop();
  });

  it('judges a message that could not be read as a whole, also what of it is refused then', async () => {
    const jobs = await house.startJobs();
    const owner = await house.member('owner', 'ten_north');
    const { buildingId, device } = await house.provision(owner);
    // As a gateway would refuse it whose decoders do not know SenML yet.
    const observed = Math.floor(Date.now() / 1_000) - 60;
    const pack = [
      { n: 'temperature', t: observed, v: 21 },
      { n: 'temperature', t: observed + 1, v: 999 },
    ];
    const letter = {
      protocol: 'HTTP',
      relayedBy: null,
      messageId: null,
      index: 0,
      createdAt: null,
      contentType: 'application/senml+json',
      contentEncoding: null,
      payload: Buffer.from(JSON.stringify(pack)),
    };
    const { id: deviceId } = device.device;
    await house.refuse(0, [
      buildRefused({ tenantId: 'ten_north', buildingId, deviceId, code: 'PAYLOAD_INVALID', letter }),
    ]);
    const [filed] = await lettersOf(owner, buildingId, 1);
    const { job } = await house.replay(owner, buildingId, { ids: [filed!.id, filed!.id, 'dl_x-0-0-0-0'] });
    expect(job).toMatchObject({ total: 1, failed: 1 });
    const [judged] = await lettersOf(owner, buildingId, 1);
    expect(judged!.replay).toMatchObject({
      outcome: 'PARTLY_ACCEPTED',
      accepted: 1,
      code: 'VALUE_OUT_OF_RANGE',
    });
    await jobs.stop();
  });

  it('lets a field gateway speak for the child that it has been given since', async () => {
    const jobs = await house.startJobs();
    const owner = await house.member('owner', 'ten_north');
    const { buildingId, devices } = await house.provision(owner, 'thermometer', 3);
    const [relay, child, stranger] = devices.map(({ device }) => device);
    const observed = Math.floor(Date.now() / 1_000) - 60;
    const refusedFor = (of: string, value: number) =>
      buildRefused({
        tenantId: 'ten_north',
        buildingId,
        deviceId: relay!.id,
        code: 'UNKNOWN_CHANNEL',
        letter: {
          protocol: 'MQTT',
          relayedBy: null,
          messageId: null,
          index: 0,
          createdAt: null,
          contentType: 'application/senml+json',
          contentEncoding: null,
          payload: Buffer.from(JSON.stringify([{ n: `${of}/temperature`, t: observed, v: value }])),
        },
      });
    await house.refuse(0, [refusedFor(child!.id, 21), refusedFor(stranger!.id, 22)]);
    await lettersOf(owner, buildingId, 2);
    await house.change(buildingId, child!.id, (device) => ({ ...device, parentId: relay!.id }));
    expect((await house.replay(owner, buildingId)).job).toMatchObject({ total: 2, failed: 1 });
    await eventually(() => {
      const mine = stream.readings.filter((each) => each.buildingId === buildingId);
      expect(mine.map(({ deviceId, value }) => [deviceId, value])).toEqual([[child!.id, 21]]);
    });
    await jobs.stop();
  });

  it('replays the history of a retired device, up to its retirement', async () => {
    const jobs = await house.startJobs();
    const owner = await house.member('owner', 'ten_north');
    const { buildingId, device } = await house.provision(owner);
    const { id } = device.device;
    const before = new Date(Date.now() - 60_000).toISOString();
    expect(await house.post(device, { humidity: 40, observedAt: before })).toBe(400);
    await lettersOf(owner, buildingId, 1);
    valueOf(await house.store.registry.retireDevice(owner, id));
    await house.change(buildingId, id, (document) => {
      const mended = withChannel('humidity', 'RELATIVE_HUMIDITY', '%')(document);
      return {
        ...mended,
        assignments: mended.assignments.map((each) => ({ ...each, to: document.retiredAt })),
      };
    });
    expect((await house.replay(owner, buildingId)).job).toMatchObject({ total: 1, failed: 0 });
    await jobs.stop();
  });

  it('stores each reading once by its identity, though the worker dies between sending and noting', async () => {
    const owner = await house.member('owner', 'ten_north');
    const { buildingId, device } = await house.provision(owner);
    let failures = 0;
    const cosmos = tapped(house.store.cosmos, {
      before(_call, name) {
        // The notes of the first two tries never arrive: as if the process had been killed.
        if (name === 'batch' && failures < 2) {
          failures++;
          throw Object.assign(new Error('killed'), { code: 400 });
        }
      },
    });
    // The filing consumer has a whole store; only the replay's is cut.
    const filing = await house.startWorker();
    for (let i = 0; i < 5; i++) await house.post(device, { humidity: 50 + i });
    await lettersOf(owner, buildingId, 5);
    await filing.stop();
    await house.change(buildingId, device.device.id, withChannel('humidity', 'RELATIVE_HUMIDITY', '%'));
    const jobs = await house.startJobs({ cosmos });
    const { job } = await house.replay(owner, buildingId);
    expect(job).toMatchObject({ state: 'SUCCEEDED', total: 5, failed: 0 });
    expect(failures).toBe(2);
    await eventually(() => {
      const sent = stream.readings.filter((each) => each.buildingId === buildingId);
      expect(sent.length).toBeGreaterThan(5);
      const messages = stream.undated
        .filter(({ pointId }) => pointId === sent[0]!.pointId)
        .map(({ messageId, messageIndex }) => `${messageId} ${messageIndex}`);
      expect(new Set(messages).size).toBe(5);
      expect(messages).toHaveLength(sent.length);
    });
    await jobs.stop();
  });

  it('gives nothing of one tenant’s letters to another, nor to who may not replay', async () => {
    const jobs = await house.startJobs();
    const owner = await house.member('owner', 'ten_north');
    const { buildingId, device } = await house.provision(owner);
    await house.post(device, { humidity: 40 });
    const [letter] = await lettersOf(owner, buildingId, 1);
    const other = await house.member('other', 'ten_south');
    const technician = await house.member('technician', 'ten_north', 'TECHNICIAN');
    const place = { tenantId: 'ten_north', buildingId };
    for (const scope of [other, technician]) {
      for (const ids of [undefined, [letter!.id]]) {
        const found = await house.reader.replayableLetters(scope, place, { limit: 10, ...(ids && { ids }) });
        expect(found).toEqual([]);
      }
    }
    // A row that names a letter of another tenant's building is found to be nothing.
    const south = await house.provision(other);
    const { jobId } = valueOf(
      await house.jobs.create(
        other,
        {
          kind: 'REPLAY_DEAD_LETTERS',
          tenantId: 'ten_south',
          buildingId: south.buildingId,
          parameters: {},
          rows: [letter!.id],
        },
        freshKey(),
      ),
    );
    await eventually(async () => {
      const { items } = await house.jobs.rows(other, jobId, { first: 10, after: null });
      expect(items.map(({ error, deviceId }) => [error?.code, deviceId])).toEqual([['NOT_FOUND', null]]);
    });
    expect((await lettersOf(owner, buildingId, 1))[0]!.replay).toBeUndefined();
    await jobs.stop();
  });
});
