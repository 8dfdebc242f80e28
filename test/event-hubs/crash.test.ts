import { provenByCrashes } from '../verify/crash-event-hubs';

test('two kills under load, with the unsynced bytes dropped, lose nothing acknowledged and invent nothing', async () => {
  const lines: string[] = [];
  const { counts, differences } = await provenByCrashes({
    rounds: 2,
    seed: Date.now() % 1_000_000,
    progress: (line) => lines.push(line),
  });
  expect({ differences, lines }).toEqual({ differences: [], lines });
  expect(counts['events acknowledged']).toBeGreaterThan(0);
  expect(counts['acknowledged lost']).toBe(0);
});
