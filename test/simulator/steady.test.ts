import { QUANTITIES } from '../../src/domain/quantity';
import { createRandom } from '../../simulator/random';
import { type Message } from '../../simulator/sender';
import { createSteady, planSteady, readingsARound } from '../../simulator/steady';
import { createWalks, utcOffset } from '../../simulator/walk';
import { createWheel } from '../../simulator/wheel';

const START = 1_790_000_000_000;

function grouped<Key>(messages: readonly Message[], keyOf: (message: Message) => Key): Map<Key, Message[]> {
  const groups = new Map<Key, Message[]>();
  for (const message of messages) {
    const key = keyOf(message);
    groups.set(key, [...(groups.get(key) ?? []), message]);
  }
  return groups;
}

describe('a steady load', () => {
  const plans = planSteady({ name: 'Steady', buildings: 3, devices: 100 });
  const buildings = plans.map((plan, building) => ({
    buildingId: `bld_${building}`,
    name: plan.name,
    timeZone: plan.timeZone,
    devices: plan.devices.map((device, i) => ({
      ...device,
      deviceId: `dev_${building}_${i}`,
      connectionString: `HostName=h;DeviceId=dev_${building}_${i};SharedAccessKey=a2V5`,
    })),
  }));
  const run = (durationMs: number, step: () => number): Message[] => {
    const source = createSteady({ buildings, intervalMs: 10_000, start: START, durationMs });
    const messages: Message[] = [];
    for (let now = START; !source.advance(now, (message) => messages.push(message)); now += step());
    return messages;
  };

  it('spreads its devices over its buildings, each reading one quantity', () => {
    expect(plans.map(({ devices }) => devices.length)).toEqual([33, 33, 34]);
    expect(readingsARound(plans)).toBe(100);
    expect(plans[0]!.name).toBe('Steady 001');
  });

  it('sends once an interval from every device, at instants that differ', () => {
    const messages = run(60_000, () => 10);
    const byDevice = grouped(messages, ({ device }) => device.deviceId);
    expect(byDevice.size).toBe(100);
    for (const each of byDevice.values()) {
      expect(each.length).toBeGreaterThanOrEqual(5);
      expect(each.length).toBeLessThanOrEqual(7);
      expect(new Set(each.map(({ dueAt }) => dueAt)).size).toBe(each.length);
      each.slice(1).forEach((message, i) => {
        const gap = message.dueAt - each[i]!.dueAt;
        expect(gap).toBeGreaterThanOrEqual(8_999);
        expect(gap).toBeLessThanOrEqual(11_001);
      });
    }
  });

  it('is staggered: no second has many more messages than another', () => {
    const bySecond = grouped(
      run(60_000, () => 10),
      ({ dueAt }) => Math.floor(dueAt / 1000),
    );
    for (const each of bySecond.values()) expect(each.length).toBeLessThan(25);
  });

  it('drops nothing when the program is held up, and claims the instants that were due', () => {
    const steps = [3, 7_000, 40, 25_000];
    let i = 0;
    const held = run(60_000, () => steps[i++ % steps.length]!);
    const smooth = run(60_000, () => 5);
    expect(held.length).toBe(smooth.length);
    for (const message of held) {
      expect(message.readings[0]!.observedAt).toBe(message.dueAt);
      expect(message.dueAt).toBeLessThan(START + 60_000);
    }
  });

  it('sends flat JSON with the instant in RFC 3339', () => {
    const [message] = run(2_000, () => 10);
    const { index, channel, value, observedAt } = message!.readings[0]!;
    expect(index).toBe(0);
    expect(JSON.parse(message!.body.toString())).toEqual({
      [channel]: value,
      observedAt: new Date(observedAt).toISOString(),
    });
  });
});

describe('a walk', () => {
  it.each(QUANTITIES.map(({ name }) => [name] as const))('keeps %s inside its range for a week', (name) => {
    const { minimum, maximum } = QUANTITIES.find((each) => each.name === name)!;
    const walks = createWalks([name, name], createRandom(3));
    for (let at = START; at < START + 7 * 86_400_000; at += 300_000) {
      for (const sensor of [0, 1]) {
        const value = walks.step(sensor, at);
        expect(value).toBeGreaterThanOrEqual(minimum);
        expect(value).toBeLessThanOrEqual(maximum);
      }
    }
  });

  it('follows the hours: more carbon dioxide at noon than at night', () => {
    const walks = createWalks(['CO2_LEVEL'], createRandom(1));
    const day = Math.ceil(START / 86_400_000) * 86_400_000;
    let night = 0;
    let noon = 0;
    for (let minute = 0; minute < 60; minute++) night += walks.step(0, day + (2 * 60 + minute) * 60_000);
    for (let minute = 0; minute < 60; minute++) noon += walks.step(0, day + (12 * 60 + minute) * 60_000);
    expect(noon).toBeGreaterThan(night + 60 * 100);
  });
});

describe('the clock on the wall', () => {
  it.each([
    ['Europe/Berlin', Date.UTC(2026, 6, 1), 2],
    ['Europe/Berlin', Date.UTC(2026, 0, 1), 1],
    ['America/Los_Angeles', Date.UTC(2026, 0, 1), -8],
    ['Asia/Kolkata', Date.UTC(2026, 0, 1), 5.5],
    ['UTC', Date.UTC(2026, 0, 1), 0],
  ])('in %s is ahead of UTC', (timeZone, at, hours) => {
    expect(utcOffset(timeZone, at)).toBe(hours * 3_600_000);
  });
});

describe('the timing wheel', () => {
  it('refuses to be armed further ahead than it reaches', () => {
    const wheel = createWheel({ timers: 1, horizonMs: 100, slotMs: 5, start: 0 });
    expect(() => wheel.arm(0, 1_000)).toThrow(RangeError);
  });

  it('fires what was overdue when it was armed', () => {
    const wheel = createWheel({ timers: 2, horizonMs: 100, slotMs: 5, start: 0 });
    wheel.advance(50, () => undefined);
    wheel.arm(1, 10);
    const fired: number[] = [];
    wheel.advance(60, (timer) => fired.push(timer));
    expect(fired).toEqual([1]);
  });
});
