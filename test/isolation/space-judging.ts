import { ask, type Transport } from './judging';
import { type Places } from './places';
import { type Place } from './space-rights';
import { type World } from './world';

export interface SpaceAnswer {
  data: Record<string, unknown> | null;
  errors: unknown;
  storeCalls: string[];
}

export async function answerTo(
  world: World,
  { people }: Pick<Places, 'people'>,
  rank: keyof Places['people'],
  document: string,
  variables: object,
  transport: Transport | 'HTTP',
): Promise<SpaceAnswer> {
  world.storeCalls();
  const body = await ask(world, people[rank], document, variables, transport);
  return { data: body.data ?? null, errors: body.errors, storeCalls: world.storeCalls() };
}

/** Whether an answer tells of what is in a place. */
export const tellsOf = (body: unknown, { space, device, deviceToSuspend, alert, value }: Place): boolean =>
  [space, device, deviceToSuspend, alert, String(value), String(value * 1_000)].some((each) =>
    JSON.stringify(body).includes(each),
  );

export function spaceVerdictOf(at: string, { data, errors }: { data: unknown; errors: unknown }): string {
  const refusal = (errors as { extensions: { code: string } }[] | undefined)?.[0]?.extensions.code;
  let value: unknown = data;
  for (const name of at.split('.')) value = (value as Record<string, unknown> | null)?.[name] ?? null;
  if (value === null && refusal !== undefined) return refusal;
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'nothing';
  return (value as { code?: string }).code ?? 'seen';
}

export const maskedPlace = (body: unknown, { space, device, deviceToSuspend, alert }: Place): string =>
  [space, device, deviceToSuspend, alert].reduce(
    (text, id, i) => text.replaceAll(id, `id ${i}`),
    JSON.stringify(body)
      .replace(/"requestId":"[^"]*"/g, '"requestId":"*"')
      .replace(/"currentlyAvailable":\d+/g, '"currentlyAvailable":"*"'),
  );
