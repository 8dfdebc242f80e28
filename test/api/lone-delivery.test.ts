import { type ExecutionArgs } from 'graphql';
import { createDeliveryBudget } from '../../src/api/delivery-budget';
import { deliverAlone } from '../../src/api/lone-delivery';
import { aloneOf, tenantOfAlone } from '../../src/resolvers/shared-stream';

interface Told {
  tenantId: string | null;
}

describe('what is delivered to one subscriber alone', () => {
  it('takes from the budget of the tenant it tells of, and waits for nobody’s', async () => {
    async function* values(): AsyncGenerator<Told> {
      yield { tenantId: 'ten_a' };
      yield { tenantId: null };
      yield { tenantId: 'ten_a' };
    }
    const source = aloneOf(values(), ({ tenantId }) => tenantId);
    // One delivery a second, by a clock that stands.
    const budget = createDeliveryBudget({ deliveriesPerSecond: 1, now: () => 0 });
    const sent: Buffer[] = [];
    await new Promise<void>((complete, fail) => {
      deliverAlone({
        args: { variableValues: {} } as ExecutionArgs,
        source,
        executor: { textOf: async () => Buffer.from('{}') },
        budget,
        tenantOf: tenantOfAlone(source),
        sink: { send: (text, left) => (sent.push(text), left()), complete, fail },
        onDelivered: () => undefined,
      });
    });
    expect(sent).toHaveLength(3);
    expect(budget.take('ten_a', 1)).toBe(3_000);
    expect(budget.take('ten_b', 1)).toBe(1_000);
  });
});
