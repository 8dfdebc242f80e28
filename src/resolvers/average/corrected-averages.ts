import { type TenantScope } from '../../auth/scope';
import { type QuantityName } from '../../domain/quantity';
import { type AveragesReader } from '../../store/averages';
import { type CorrectedMinutes } from '../../domain/corrected-minutes';
import { BuildingAverage } from './average.type';

/** Records that were corrected, as they stand now: what is told of them is which. */
export async function* correctedAverages(
  corrections: AsyncIterableIterator<CorrectedMinutes>,
  options: {
    averages: Pick<AveragesReader, 'history'>;
    scope: TenantScope;
    isShown(of: { tenantId: string; buildingId: string }, quantity: QuantityName): boolean;
  },
): AsyncGenerator<BuildingAverage> {
  for await (const corrected of corrections) {
    const quantity = BuildingAverage.quantityOf(corrected);
    if (quantity === undefined || !options.isShown(corrected, quantity)) continue;
    const { tenantId, buildingId, minutes } = corrected;
    for (const [fromMinute, toMinute] of spansOf(minutes)) {
      const points = await options.averages.history(options.scope, {
        buildingId,
        quantity,
        fromMinute,
        toMinute,
        limit: toMinute - fromMinute + 1,
      });
      for (const point of points) {
        if (point.tenantId !== tenantId || !minutes.includes(point.windowEnd / 60)) continue;
        yield Object.assign(BuildingAverage.of(point)!, { delivery: 'CORRECTED' as const });
      }
    }
  }
}

/** Minutes apart by no more than this are read at once. */
const NEAR_MINUTES = 30;

/** Ascending minutes as spans, both ends inclusive. */
function spansOf(minutes: readonly number[]): [number, number][] {
  const spans: [number, number][] = [];
  for (const minute of minutes) {
    const span = spans.at(-1);
    if (span === undefined || minute - span[1] > NEAR_MINUTES) spans.push([minute, minute]);
    else span[1] = minute;
  }
  return spans;
}
