import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import {
  AcceptDeviceTransferDocument,
  DeviceDetailDocument,
  MoveDeviceDocument,
  OfferDeviceTransferDocument,
  ReplaceDeviceDocument,
} from '../../simulator/generated/graphql';
import { type Random } from '../../simulator/random';
import { createSasToken } from '../../simulator/sas-token';
import { type Session } from '../../simulator/session';

export interface House {
  session: Session;
  tenantId: string;
  buildingId: string;
  spaces: string[];
}

interface Place {
  house: House;
  spaceId: string;
  /** Point ids by channel. */
  points: Record<string, string>;
}

/** An open span of time in which a device certainly stood in one place. */
interface Stay {
  place: Place;
  /** Milliseconds since 1970, both inside. */
  from: number;
  to: number;
  story: string;
  told: boolean;
}

/** One device, or several that replaced each other, as the proof remembers it: the oracle knows nothing else. */
export interface Life {
  deviceId: string;
  connectionString: string;
  place: Place;
  /** Since when the place is certain. */
  since: number;
  /** When the last move begins to hold: nothing that comes before it holds earlier. */
  movesAt: number;
  stays: Stay[];
  /** Of devices that went before. */
  story: string;
}

export interface Expected {
  deviceId: string;
  quantity: string;
  observedAt: number;
  value: number;
  tenantId: string;
  buildingId: string;
  spaceId: string;
  pointId: string;
  /** Sent after the device was somewhere else. */
  late: boolean;
  story: string;
}

const MODEL = 'hygrometer';
const CHANNEL = 'humidity';
const QUANTITY = 'RELATIVE_HUMIDITY';
/** A gateway hears of a change within two seconds; until then it may refuse what is new, never take what is old. */
const KNOWN_WITHIN_MS = 60_000;
const TWO_DAYS_MS = 2 * 86_400_000;
const READINGS_A_STAY = 3;
/** `MOVE_AHEAD_MS` of the registry, written down again: a move holds from so much later on. */
const MOVES_AHEAD_MS = 3_000;

/** Random lives of devices through the public API alone, and what must have become of every reading. */
export function createLives(options: { houses: readonly House[]; random: Random }) {
  const { houses, random } = options;
  const expected: Expected[] = [];
  const refused: { deviceId: string; observedAt: number }[] = [];
  const differences: string[] = [];
  const counts = { moved: 0, movedAway: 0, replaced: 0, transferred: 0 };
  let devices = 0;
  let value = 0;

  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]!;

  /** The points that the channels feed now, as the owner sees them. */
  async function pointsOf(house: House, deviceId: string): Promise<Record<string, string>> {
    const { device } = await house.session.client.execute(DeviceDetailDocument, { id: deviceId });
    const open = device?.assignments.filter(({ to }) => to === null) ?? [];
    return Object.fromEntries(open.map(({ channel, point }) => [channel, point.id]));
  }

  async function send(
    life: Life,
    readings: { observedAt: number; value: number }[],
  ): Promise<{ status: number; refusals: { index: number; code: string }[] }> {
    const [hostName] = /HostName=([^;]+)/.exec(life.connectionString)!.slice(1);
    const body = readings.map((each) => ({
      observedAt: new Date(each.observedAt).toISOString(),
      [CHANNEL]: each.value,
    }));
    for (const deadline = Date.now() + KNOWN_WITHIN_MS; ; await delay(100)) {
      const answer = await request(
        `http://${hostName}/devices/${life.deviceId}/messages/events?api-version=2021-04-12`,
        {
          method: 'POST',
          headers: {
            authorization: createSasToken(life.connectionString, 300),
            'content-type': 'application/json',
          },
          body: JSON.stringify(body),
        },
      );
      const text = await answer.body.text();
      // A gateway may hear of new credentials a moment later.
      const passing = answer.statusCode === 401 || answer.statusCode === 429 || answer.statusCode >= 500;
      if (passing && Date.now() < deadline) continue;
      const said = text === '' ? {} : (JSON.parse(text) as { refused?: { index: number; code: string }[] });
      return { status: answer.statusCode, refusals: said.refused ?? [] };
    }
  }

  /** Sends what was observed in a stay, and expects it where the device stood then. */
  async function tell(life: Life, stay: Stay): Promise<void> {
    stay.told = true;
    const instants = new Set<number>();
    const span = stay.to - stay.from;
    while (instants.size < Math.min(READINGS_A_STAY, span + 1)) {
      instants.add(stay.from + Math.floor(random.next() * (span + 1)));
    }
    const readings = [...instants].map((observedAt) => ({ observedAt, value: (value++ % 10_000) / 100 }));
    const { status, refusals } = await send(life, readings);
    if (status !== 204) {
      differences.push(
        `${life.deviceId} was answered ${status} for what it observed in ${stay.story}: ${JSON.stringify(refusals.slice(0, 3))}`,
      );
      return;
    }
    const { house, spaceId, points } = stay.place;
    for (const reading of readings) {
      expected.push({
        deviceId: life.deviceId,
        quantity: QUANTITY,
        ...reading,
        tenantId: house.tenantId,
        buildingId: house.buildingId,
        spaceId,
        pointId: points[CHANNEL] ?? 'no point',
        late: stay.place !== life.place,
        story: stay.story,
      });
    }
  }

  /** Before something changes: what was certain up to here is a stay. Half of them is told at once, half later. */
  async function leave(life: Life): Promise<void> {
    const to = Date.now() - 1;
    if (to < life.since) return;
    const stay: Stay = { place: life.place, from: life.since, to, story: life.story, told: false };
    life.stays.push(stay);
    if (random.next() < 0.5) await tell(life, stay);
  }

  async function arrive(life: Life, place: Omit<Place, 'points'>, story: string, aheadMs = 0): Promise<void> {
    // A place that is set ahead and was never reached before the next move leaves the life without a certain stay.
    const now = Date.now();
    life.movesAt = Math.max(life.movesAt, now + aheadMs);
    life.since = Math.max(now, life.movesAt) + 1;
    life.story = story;
    life.place = { ...place, points: await pointsOf(place.house, life.deviceId) };
    if (life.place.points[CHANNEL] === undefined) {
      differences.push(`${life.deviceId} feeds no point after ${story}`);
    }
  }

  const succeeded = <T extends { __typename?: string }>(answer: T, what: string): boolean => {
    if (answer.__typename?.endsWith('Success')) return true;
    differences.push(`${what} was refused: ${JSON.stringify(answer)}`);
    return false;
  };

  async function move(life: Life): Promise<void> {
    const here = life.place;
    const others = houses.filter(({ tenantId }) => tenantId === here.house.tenantId);
    const house = pick(others);
    const spaceId = pick(house.spaces.filter((space) => space !== here.spaceId));
    const { moveDevice } = await here.house.session.client.execute(MoveDeviceDocument, {
      input: { deviceId: life.deviceId, buildingId: house.buildingId, spaceId },
    });
    if (!succeeded(moveDevice, `moving ${life.deviceId}`)) return;
    if (house === here.house) counts.moved++;
    else counts.movedAway++;
    const story = house === here.house ? 'a move' : 'a move to another building';
    await arrive(life, { house, spaceId }, story, MOVES_AHEAD_MS);
    if (life.place.points[CHANNEL] === here.points[CHANNEL]) {
      differences.push(`${life.deviceId} feeds the same point in another space`);
    }
  }

  async function replace(life: Life): Promise<void> {
    // Who is replaced can send no more: what it has not told is told now, however often it moved since.
    for (const stay of life.stays) if (!stay.told) await tell(life, stay);
    const { house, spaceId, points } = life.place;
    const before = Date.now();
    const { replaceDevice } = await house.session.client.execute(ReplaceDeviceDocument, {
      input: {
        deviceId: life.deviceId,
        newDevice: { model: MODEL },
        name: `Replacement ${++devices}`,
        idempotencyKey: randomUUID(),
      },
    });
    if (!succeeded(replaceDevice, `replacing ${life.deviceId}`)) return;
    if (replaceDevice.__typename !== 'ReplaceDeviceSuccess') return;
    counts.replaced++;
    life.deviceId = replaceDevice.device.id;
    life.connectionString = replaceDevice.connectionString ?? '';
    life.stays = [];
    await arrive(life, { house, spaceId }, 'a replacement');
    if (life.place.points[CHANNEL] !== points[CHANNEL]) {
      differences.push(`${life.deviceId} feeds another point than the device it replaced`);
    }
    // What it claims to have observed before it was there belongs to nobody.
    const { status, refusals } = await send(life, [{ observedAt: before - 1, value: 1 }]);
    if (status === 204 || refusals[0]?.code !== 'NOT_ASSIGNED') {
      differences.push(`${life.deviceId} was answered ${status} for a time before it replaced another`);
    } else refused.push({ deviceId: life.deviceId, observedAt: before - 1 });
  }

  async function transfer(life: Life): Promise<void> {
    const here = life.place.house;
    const house = pick(houses.filter(({ tenantId }) => tenantId !== here.tenantId));
    const spaceId = pick(house.spaces);
    const { offerDeviceTransfer } = await here.session.client.execute(OfferDeviceTransferDocument, {
      input: { deviceId: life.deviceId, toTenantId: house.tenantId, expiresInHours: 1 },
    });
    if (!succeeded(offerDeviceTransfer, `offering ${life.deviceId}`)) return;
    if (offerDeviceTransfer.__typename !== 'OfferDeviceTransferSuccess') return;
    const { acceptDeviceTransfer } = await house.session.client.execute(AcceptDeviceTransferDocument, {
      input: {
        transferId: offerDeviceTransfer.transferId,
        buildingId: house.buildingId,
        spaceId,
        idempotencyKey: randomUUID(),
      },
    });
    if (!succeeded(acceptDeviceTransfer, `accepting ${life.deviceId}`)) return;
    if (acceptDeviceTransfer.__typename !== 'AcceptDeviceTransferSuccess') return;
    counts.transferred++;
    life.connectionString = acceptDeviceTransfer.connectionString ?? '';
    await arrive(life, { house, spaceId }, 'a transfer');
  }

  return {
    async begin(wanted: number): Promise<Life[]> {
      const lives: Life[] = [];
      for (const [index, house] of houses.entries()) {
        const here = Array.from({ length: wanted }, (_, i) => i).filter((i) => i % houses.length === index);
        if (here.length === 0) continue;
        const spaces = here.map(() => pick(house.spaces));
        const made = await house.session.api.provisionDevices(
          {
            buildingId: house.buildingId,
            devices: here.map((i, n) => ({ name: `Device ${i}`, model: MODEL, spaceId: spaces[n]! })),
          },
          randomUUID(),
        );
        for (const [n, { deviceId, connectionString }] of made.entries()) {
          devices++;
          lives.push({
            deviceId,
            connectionString: connectionString!,
            place: { house, spaceId: spaces[n]!, points: await pointsOf(house, deviceId) },
            // The first place reaches back further than anything that can be observed.
            since: Date.now() - TWO_DAYS_MS,
            movesAt: 0,
            stays: [],
            story: 'its first place',
          });
        }
      }
      return lives;
    },

    /** One random change, with readings of before it told now or later. */
    async change(life: Life): Promise<void> {
      await leave(life);
      const which = random.next();
      if (which < 0.5) await move(life);
      else if (which < 0.7) await replace(life);
      else await transfer(life);
    },

    async tellTheRest(life: Life): Promise<void> {
      await leave(life);
      for (const stay of life.stays) if (!stay.told) await tell(life, stay);
    },

    expected: (): readonly Expected[] => expected,
    refused: () => refused,
    differences: (): readonly string[] => differences,
    changes: () => counts,
    devices: () => devices,
  };
}
