import { type QuantityName } from './quantity';

/** What these measure tells whether somebody is there, wherever they are measured. */
export const ALWAYS_REVEALING = ['OCCUPANCY', 'INTRUSION', 'MOTION_LEVEL'] as const satisfies QuantityName[];

/** What these measure tells it in a room, and little in a hall: the owner of a building says what it is there. */
export const CHOOSABLE = ['CO2_LEVEL', 'ILLUMINANCE'] as const satisfies QuantityName[];

/**
 * What owners chose, by building. A quantity that is chosen reveals presence in every space and in the building's own
 * values as well: those are made of the points that are hidden, so that telling them would tell of these.
 */
export type PresenceChoices = Readonly<Record<string, readonly QuantityName[]>>;

/** In the place of a building: of every one, where the choices are not known yet. */
export const EVERY_BUILDING = '*';

/** Until they are known everything that can be chosen is hidden. */
export const UNKNOWN_CHOICES: PresenceChoices = { [EVERY_BUILDING]: CHOOSABLE };

/**
 * Whether a quantity tells of presence in a building; without a building, whether it does in any.
 *
 * @param choices of the building's owner; left out where nothing was chosen.
 */
export function isRevealing(
  quantity: QuantityName,
  buildingId: string | undefined,
  choices: PresenceChoices | undefined,
): boolean {
  if ((ALWAYS_REVEALING as readonly QuantityName[]).includes(quantity)) return true;
  if (choices === undefined || !(CHOOSABLE as readonly QuantityName[]).includes(quantity)) return false;
  const chosen = (id: string): boolean => Object.hasOwn(choices, id) && choices[id]!.includes(quantity);
  if (chosen(EVERY_BUILDING)) return true;
  return buildingId === undefined ? Object.keys(choices).some(chosen) : chosen(buildingId);
}
