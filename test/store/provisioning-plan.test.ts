import fc from 'fast-check';
import { DEVICE_MODELS } from '../../src/domain/device';
import { type NewDevice } from '../../src/store/registry';
import { demandOf, partsOf, planOf } from '../../src/store/registry/provisioning-plan';

const devices = fc.array(
  fc.constantFrom(...DEVICE_MODELS).map(({ name }): NewDevice => {
    return { name: 'a device', model: name, spaceId: 'spc_1', serialNumber: null };
  }),
  { minLength: 1, maxLength: 400 },
);
const reservation = { firstPointOrdinal: 17, firstDeviceOrdinal: 5, at: Date.UTC(2026, 0, 1) };
const building = { id: 'bld_1', tenantId: 'ten_a' };

test('parts fit into a batch with their audit event, and together take each reserved ordinal once', () => {
  fc.assert(
    fc.property(devices, (asked) => {
      const plans = partsOf(asked, reservation).map((part) =>
        planOf(building, part.devices, part.reservation, 'attempt'),
      );
      for (const plan of plans) {
        const documents = plan.reduce((sum, { points }) => sum + 1 + points.length, 0);
        expect(documents).toBeLessThanOrEqual(99);
      }
      const all = plans.flat();
      expect(all.map(({ device }) => device.assignments[0]!.deviceOrdinal)).toEqual(
        asked.map((_, i) => 5 + i),
      );
      const points = all.flatMap((each) => each.points);
      expect(points.map((each) => each.ordinal)).toEqual(points.map((_, i) => 17 + i));
      expect(points).toHaveLength(demandOf(asked).points);
      expect(all.flatMap(({ device }) => device.assignments.map((each) => each.pointId))).toEqual(
        points.map((each) => each.id),
      );
      const ids = [...all.map(({ device }) => device.id), ...points.map((each) => each.id)];
      expect(new Set(ids).size).toBe(ids.length);
    }),
  );
});

test('a building’s counts are those of its devices that have the quantity, whatever their other channels', () => {
  const device = (model: string): NewDevice => ({ name: 'd', model, spaceId: 'spc_1', serialNumber: null });
  const { byQuantity, points } = demandOf([device('climate-sensor'), device('thermometer')]);
  expect(points).toBe(4);
  expect(Object.fromEntries(byQuantity)).toEqual({
    AIR_TEMPERATURE: 2,
    RELATIVE_HUMIDITY: 1,
    BATTERY_LEVEL: 1,
  });
});
