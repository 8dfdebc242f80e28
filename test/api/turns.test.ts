import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTurns } from '../../src/api/turns';
import { eventually } from '../support/eventually';

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

  it('wait as long as the last of the same client took while others ask too, and hold nobody else up', async () => {
    let now = 0;
    const turns = createTurns({ now: () => now });
    const begun: string[] = [];
    const begin = (client: string, takes: number): void =>
      void Promise.resolve(turns.next(client)).then(() => {
        begun.push(client);
        now += takes;
      });
    begin('little', 0);
    begin('much', 20);
    await Promise.resolve();
    await Promise.resolve();
    begin('much', 20);
    begin('much', 20);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    // The second took 20 ms, and time stands still since: the third rests.
    expect(begun).toEqual(['little', 'much', 'much']);
    begin('little', 0);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(begun).toEqual(['little', 'much', 'much', 'little']);
    now += 20;
    await eventually(() => expect(begun).toEqual(['little', 'much', 'much', 'little', 'much']));
  });

  it('rest for nobody where nobody else asks', async () => {
    let now = 0;
    const turns = createTurns({ now: () => now });
    let begun = 0;
    for (let n = 0; n < 5; n++) {
      void Promise.resolve(turns.next('alone')).then(() => {
        begun++;
        now += 20;
      });
      await Promise.resolve();
    }
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(begun).toBe(5);
  });
});
