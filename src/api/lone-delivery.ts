import { type ExecutionArgs } from 'graphql';
import { type Context } from '../resolvers/context';
import { type DeliveryBudget } from './delivery-budget';
import { type Sink } from './fan-out';
import { type Executor } from './shared-execution';

/**
 * Delivers a subscription that brings values of its own rather than a stream to share: one whose values are told from
 * where that subscriber stands, such as alerts, of which none may be left out. The next value is asked for when the last
 * result has left for the network, so that a slow reader holds its own source back and nothing piles up here. The source
 * looks at the rights itself. What it delivers waits for no budget and takes from its tenant's, so that a flood of it slows the
 * states of that tenant and of nobody else. Returns what ends it.
 */
export function deliverAlone(options: {
  args: ExecutionArgs;
  source: AsyncIterator<unknown>;
  executor: Pick<Executor, 'textOf'>;
  sink: Sink;
  budget: Pick<DeliveryBudget, 'take'>;
  /** Whose budget a delivery takes from; null for nobody's. */
  tenantOf(value: unknown): string | null;
  onDelivered(results: number): void;
}): () => void {
  const { args, source, executor, sink, budget, tenantOf } = options;
  const operation = {
    document: args.document,
    operationName: args.operationName,
    variableValues: args.variableValues ?? {},
    own: args.contextValue as Context,
  };
  let left = false;
  const run = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await source.next();
      if (done || left) return;
      const text = await executor.textOf(operation, value);
      if (left) return;
      const tenantId = tenantOf(value);
      if (tenantId !== null) budget.take(tenantId, 1);
      await new Promise<void>((resolve) => sink.send(text, resolve));
      options.onDelivered(1);
    }
  };
  run().then(
    () => sink.complete(),
    (error: unknown) => {
      sink.fail(error);
      void source.return?.();
    },
  );
  return () => {
    left = true;
    void source.return?.();
  };
}
