import { type Cosmos } from '../cosmos';
import { type Page } from '../registry';
import { pageOf, sortKeyAfter } from '../registry/position';
import { retrying } from '../store-error';
import { deliveriesOf, type DeliveryDocument, type DuePlaceDocument, dueKeyOf, queueOf } from './documents';

/** What was, is and will be sent to webhooks. */
export interface DeliveryLog {
  /** Newest first. */
  newest(
    webhookId: string,
    options: { first: number; after: string | null },
  ): Promise<Page<DeliveryDocument>>;
  /** Puts a delivery on its way that is there and is not; null where there is none. */
  again(webhookId: string, deliveryId: string): Promise<DeliveryDocument | null>;
  /**
   * Creates deliveries that are not there yet, and their places in the queue. May be repeated: a delivery that is not on
   * its way any more is not put there again.
   */
  add(deliveries: readonly DeliveryDocument[]): Promise<void>;
}

export function createDeliveryLog({ cosmos }: { cosmos: Cosmos }): DeliveryLog {
  const read = (webhookId: string, id: string): Promise<DeliveryDocument | null> =>
    cosmos.read<DeliveryDocument>('directory', deliveriesOf(webhookId), id);

  /**
   * Its place in the queue. One that has a place keeps it, with `anew` replaces it: whoever is about to remove the old one,
   * which its etag names, is refused.
   */
  async function enqueue({ id, webhookId, nextAttemptAt }: DeliveryDocument, anew = false): Promise<void> {
    const place: DuePlaceDocument = {
      id,
      key: queueOf(webhookId),
      kind: 'webhookDue',
      webhookId,
      sortKey: dueKeyOf(nextAttemptAt!, id),
    };
    await retrying(() =>
      cosmos.batch('directory', place.key, [anew ? { upsert: place } : { create: place }]),
    );
  }

  return {
    async newest(webhookId, { first, after }) {
      const found = await cosmos.query<DeliveryDocument>(
        'directory',
        deliveriesOf(webhookId),
        'SELECT * FROM c WHERE c.sortKey < @before ORDER BY c.sortKey DESC',
        // Behind every digit.
        { before: after === null ? ':' : sortKeyAfter(after) },
        { limit: first + 1 },
      );
      return pageOf(
        found.map((item) => ({ item, sortKey: item.sortKey })),
        first,
      );
    },

    again: (webhookId, deliveryId) =>
      retrying(async () => {
        for (;;) {
          const delivery = await read(webhookId, deliveryId);
          if (delivery?.kind !== 'webhookDelivery') return null;
          if (delivery.state === 'PENDING') {
            // Also where whoever asked before died between the two.
            await enqueue(delivery);
            return delivery;
          }
          const pending: DeliveryDocument = {
            ...delivery,
            state: 'PENDING',
            tries: 0,
            nextAttemptAt: Date.now(),
          };
          const { ok } = await cosmos.batch('directory', pending.key, [
            { replace: pending, etag: delivery._etag! },
          ]);
          if (!ok) continue;
          await enqueue(pending, true);
          return pending;
        }
      }),

    async add(deliveries) {
      const created = await cosmos.bulkCreate('directory', deliveries);
      for (const [index, delivery] of deliveries.entries()) {
        // It was there: by an earlier try that may have died before it had its place, or long delivered.
        const current = created[index] ? delivery : await read(delivery.webhookId, delivery.id);
        if (current?.state === 'PENDING') await enqueue(current);
      }
    },
  };
}
