import { prove } from './privacy/proof';

describe('what tells of presence', () => {
  it('changes nothing of what is told to whoever may not know, in a short run', async () => {
    const { counts, differences } = await prove({
      seed: 3,
      questions: 12,
      rounds: 1,
      minutes: 1,
      callers: ['TECHNICIAN', 'RESIDENT', 'QUANTITIES_ANALYST', 'MANAGER'],
      progress: () => undefined,
    });
    expect(differences).toEqual([]);
    expect(counts['answers compared']).toBe(48);
  }, 600_000);
});
