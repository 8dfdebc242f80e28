import { type AddressInfo, createServer } from 'node:net';

/** The ports to use: those asked for, and a free one for every 0. */
export async function choosePorts<Name extends string>(
  host: string,
  asked: Record<Name, number>,
): Promise<Record<Name, number>> {
  const held: ReturnType<typeof createServer>[] = [];
  const chosen = { ...asked };
  for (const name of Object.keys(asked) as Name[]) {
    if (asked[name] !== 0) continue;
    const server = createServer();
    // All stay open until the last is chosen, so that none is given twice.
    held.push(server);
    chosen[name] = await new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
    });
  }
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return chosen;
}
