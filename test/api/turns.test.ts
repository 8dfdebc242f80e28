import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTurns } from '../../src/api/turns';

describe('operations that begin', () => {
  it('do so at once while those of this turn have not taken their time', () => {
    const turns = createTurns({ now: () => 0 });
    expect([turns.next('a'), turns.next('a'), turns.next('b')]).toEqual([undefined, undefined, undefined]);
  });

  it('wait when they have, and are let in one a turn, client by client', async () => {
    let now = 0;
    const turns = createTurns({ now: () => now });
    const begun: string[] = [];
    const begin = (client: string, name: string): void =>
      void Promise.resolve(turns.next(client)).then(() => begun.push(name));
    begin('much', 'much 1');
    now = 50;
    for (let n = 2; n <= 5; n++) begin('much', `much ${n}`);
    begin('little', 'little');
    await Promise.resolve();
    await Promise.resolve();
    expect(begun).toEqual(['much 1']);
    for (let turn = 0; begun.length < 6 && turn < 100; turn++) await nextTurn();
    expect(begun).toEqual(['much 1', 'much 2', 'little', 'much 3', 'much 4', 'much 5']);
    // And nobody waits any more.
    expect(turns.next('much')).toBeUndefined();
  });
});
