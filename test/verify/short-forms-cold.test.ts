import { verification as coldCrash } from './cold-crash.verify';

describe('the cold path alone', () => {
  it('lands and curates everything once while workers and curators die and the hub is made anew', async () => {
    const { counts, differences } = await coldCrash.run({
      args: ['--rounds', '2', '--recreate-every', '1'],
      progress: () => undefined,
    });
    expect(differences).toEqual([]);
    expect(counts['lives of the hub']).toBe(2);
    expect(counts['rows curated']).toBeGreaterThan(100);
  }, 400_000);
});
