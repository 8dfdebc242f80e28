import { DEVICE_STATES, type DeviceState } from '../../src/domain/device';
import { type DeviceCommand, nextState } from '../../src/domain/lifecycle';

/**
 * Every state (`-`: no device yet) in its row, every command in its column: what becomes of the device, `.` where the
 * command is refused. `before` stands for what it was before it was suspended.
 */
const TABLE = `
                     -            REGISTERED   PROVISIONED  ACTIVE       SUSPENDED    RETIRED
  REGISTER           REGISTERED   .            .            .            .            .
  PROVISION          PROVISIONED  .            .            .            .            .
  CLAIM              .            PROVISIONED  .            .            .            .
  ACTIVATE           .            .            ACTIVE       .            .            .
  SUSPEND            .            .            SUSPENDED    SUSPENDED    .            .
  RESUME             .            .            .            .            before       .
  RETIRE             .            RETIRED      RETIRED      RETIRED      RETIRED      .
  REPLACE            .            .            RETIRED      RETIRED      RETIRED      .
  MOVE               .            .            PROVISIONED  ACTIVE       SUSPENDED    .
  SET_PARENT         .            .            PROVISIONED  ACTIVE       SUSPENDED    .
  ISSUE_CREDENTIAL   .            .            PROVISIONED  ACTIVE       SUSPENDED    .
  ROTATE_CREDENTIAL  .            .            PROVISIONED  ACTIVE       SUSPENDED    .
  CONFIGURE          .            .            PROVISIONED  ACTIVE       SUSPENDED    .
  OFFER_TRANSFER     .            .            PROVISIONED  ACTIVE       SUSPENDED    .
  WITHDRAW_TRANSFER  .            .            PROVISIONED  ACTIVE       SUSPENDED    .
  ACCEPT_TRANSFER    .            .            PROVISIONED  PROVISIONED  PROVISIONED  .
`;

const [states, ...rows] = TABLE.trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/)) as [string[], ...string[][]];

describe('the life of a device', () => {
  const cases = rows.flatMap(([command, ...results]) =>
    results.map((result, i) => ({ command: command as DeviceCommand, state: states[i]!, result })),
  );

  it.each(cases)('$command of $state makes it $result', ({ command, state, result }) => {
    const from = state === '-' ? null : (state as DeviceState);
    const expected = result === '.' ? null : result === 'before' ? 'PROVISIONED' : result;
    expect(nextState(from, command)).toBe(expected);
    // What it was before matters to its return into service and to nothing else.
    expect(nextState(from, command, 'ACTIVE')).toBe(result === 'before' ? 'ACTIVE' : expected);
  });

  it('has a row for every state', () => {
    expect(states.slice(1)).toEqual([...DEVICE_STATES]);
  });
});
