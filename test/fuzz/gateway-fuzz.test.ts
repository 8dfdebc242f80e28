import { fuzzGateway } from './gateway.fuzz';

test('a few seconds of mutated input leave the gateway answering, and nothing behind', async () => {
  const { counts, findings } = await fuzzGateway({ seconds: 5, seed: 1, progress: () => undefined });
  expect(findings).toEqual([]);
  expect(counts['readings of a well-behaved device acknowledged']).toBeGreaterThan(0);
});
