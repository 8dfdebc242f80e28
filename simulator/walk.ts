import { type QuantityName, quantityNamed } from '../src/domain/quantity';
import { type Random } from './random';

/** How a quantity behaves over a day in an office: where it tends to, how fast, and how restless it is. */
interface Behaviour {
  /** Where it tends to at an hour of the day (0 to 24, where the building stands). */
  target(hour: number): number;
  /** How much each sensor differs from the next. */
  spread: number;
  /** Time to close two thirds of the distance to the target, in seconds. */
  settleSeconds: number;
  /** Deviation in the long run. */
  restlessness: number;
  decimals: number;
}

/** 0 at night, 1 in the middle of a working day, with slopes of about two hours. */
function presence(hour: number): number {
  const slope = (from: number): number => 1 / (1 + Math.exp((from - hour) * 2));
  return slope(8.5) * (1 - slope(18));
}

/** The height of the sun, 0 from 18:00 to 6:00. */
function daylight(hour: number): number {
  return Math.max(0, Math.sin(((hour - 6) / 12) * Math.PI));
}

const behaviours: Record<QuantityName, Behaviour> = {
  AIR_TEMPERATURE: {
    target: (hour) => 20 + 2.5 * Math.max(presence(hour), daylight(hour) * 0.6),
    spread: 1.5,
    settleSeconds: 1800,
    restlessness: 0.3,
    decimals: 2,
  },
  RELATIVE_HUMIDITY: {
    target: (hour) => 42 + 6 * presence(hour),
    spread: 5,
    settleSeconds: 2400,
    restlessness: 1.5,
    decimals: 1,
  },
  CO2_LEVEL: {
    target: (hour) => 430 + 450 * presence(hour),
    spread: 80,
    settleSeconds: 1200,
    restlessness: 40,
    decimals: 0,
  },
  ILLUMINANCE: {
    target: (hour) => 5 + 350 * presence(hour) + 400 * daylight(hour),
    spread: 60,
    settleSeconds: 120,
    restlessness: 25,
    decimals: 1,
  },
  MOTION_LEVEL: {
    target: (hour) => 12 * presence(hour),
    spread: 4,
    settleSeconds: 60,
    restlessness: 6,
    decimals: 0,
  },
  BATTERY_LEVEL: { target: () => 80, spread: 15, settleSeconds: 86_400, restlessness: 0.5, decimals: 1 },
  SMOKE: { target: () => 0, spread: 0, settleSeconds: 60, restlessness: 0, decimals: 0 },
  INTRUSION: { target: () => 0, spread: 0, settleSeconds: 60, restlessness: 0, decimals: 0 },
  OCCUPANCY: { target: presence, spread: 0, settleSeconds: 60, restlessness: 0.2, decimals: 0 },
};

/** The walks of many sensors, in typed arrays: a step allocates nothing. */
export interface Walks {
  /** The sensor's next value, in canonical units and inside its range, rounded as a sensor of its kind rounds. */
  step(sensor: number, at: number): number;
}

const NEVER = -1;

/**
 * One walk for each quantity listed; `sensor` is its index in the list. `utcOffsets` say, by sensor, how many
 * milliseconds its clock on the wall is ahead of UTC.
 */
export function createWalks(
  quantities: readonly QuantityName[],
  random: Random,
  utcOffsets: readonly number[] = [],
): Walks {
  const behaviour = quantities.map((name) => behaviours[name]);
  const range = quantities.map((name) => quantityNamed(name));
  const offset = Float64Array.from(behaviour, ({ spread }) => spread * random.normal());
  const value = new Float64Array(quantities.length);
  const steppedAt = new Float64Array(quantities.length).fill(NEVER);

  return {
    step(sensor, at) {
      const { target, settleSeconds, restlessness, decimals } = behaviour[sensor]!;
      const { minimum, maximum, kind } = range[sensor]!;
      const goal = target(((at + (utcOffsets[sensor] ?? 0)) / 3_600_000) % 24) + offset[sensor]!;
      const last = steppedAt[sensor]!;
      if (last === NEVER) {
        value[sensor] = goal + restlessness * random.normal();
      } else {
        // An Ornstein-Uhlenbeck step: exact for any interval, so that a sensor's walk does not depend on its pace.
        const keep = Math.exp(-Math.max(0, at - last) / 1000 / settleSeconds);
        value[sensor] =
          goal + (value[sensor]! - goal) * keep + restlessness * Math.sqrt(1 - keep * keep) * random.normal();
      }
      steppedAt[sensor] = at;
      const inside = Math.min(maximum, Math.max(minimum, value[sensor]!));
      const scale = kind === 'state' ? 1 : 10 ** decimals;
      return Math.round(inside * scale) / scale;
    },
  };
}

/** How far a zone's clocks are ahead of UTC at an instant, in milliseconds. */
export function utcOffset(timeZone: string, at: number): number {
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(at);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  const match = /GMT([+-])(\d\d):(\d\d)/.exec(name);
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  return (match[1] === '-' ? -minutes : minutes) * 60_000;
}
