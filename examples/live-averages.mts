// A building's averages, live, through lost connections and expiring tokens, without missing a minute.
//
//   node examples/live-averages.mts ws://127.0.0.1:4000/graphql bld_... npm run -s token -- --user owner@north.example
//
// What stands behind the building's id is the command that prints an access token.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type FormattedExecutionResult } from 'graphql';
import { createClient } from 'graphql-ws';

interface Value {
  quantity: string;
  unit: string;
  mean: number | null;
  windowEnd: string;
  delivery: string;
  cursor: string;
  gap: { from: string; to: string } | null;
}

interface Live {
  buildingAverage: Value;
}

const DOCUMENT = `
  subscription ($building: ID!, $after: String) {
    buildingAverage(building: $building, quantity: AIR_TEMPERATURE, minInterval: "PT5S", after: $after) {
      quantity unit mean windowEnd delivery cursor gap { from to }
    }
  }`;

const [url, building, ...command] = process.argv.slice(2);
if (url === undefined || building === undefined || command.length === 0) {
  console.error('usage: node examples/live-averages.mts URL BUILDING COMMAND...');
  process.exit(2);
}

const run = promisify(execFile);
const token = async (): Promise<string> => (await run(command[0]!, command.slice(1))).stdout.trim();

const client = createClient({
  url,
  // Asked for at each connection, so that a token that has expired (4403) is followed by a new one.
  connectionParams: async () => ({ authorization: `Bearer ${await token()}` }),
  // Left to itself the client would repeat a subscription from where it first began: below it begins after the last value.
  retryAttempts: 0,
});

/** All access was withdrawn: coming again does not help. */
const UNAUTHORIZED = 4401;

let after: string | null = null;
for (;;) {
  const values: AsyncIterable<FormattedExecutionResult<Live, unknown>> = client.iterate<Live>({
    query: DOCUMENT,
    variables: { building, after },
  });
  try {
    for await (const { data, errors } of values) {
      if (!data) throw new Error(errors?.map(({ message }) => message).join('; ') ?? 'no data');
      const { quantity, unit, mean, windowEnd, delivery, cursor, gap } = data.buildingAverage;
      after = cursor;
      if (gap) console.log(`not kept: ${gap.from} to ${gap.to}`);
      console.log(`${windowEnd} ${delivery} ${quantity} ${mean === null ? 'none' : mean.toFixed(3)} ${unit}`);
    }
    // The server completed it: the right to this building has ended.
    break;
  } catch (error) {
    const { code, reason, message } = error as { code?: number; reason?: string; message?: string };
    console.error(`interrupted: ${reason ?? message ?? 'no connection'}`);
    if (code === UNAUTHORIZED) break;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
await client.dispose();
