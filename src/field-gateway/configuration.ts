import { z } from 'zod';
import { deviceModelNamed } from '../domain/device';
import { OperatorError } from '../observability/operator-error';
import { LINE_ADDRESS } from './line-protocol';

const port = (fallback: number) => z.number().int().min(0).max(65_535).default(fallback);
const child = z
  .string()
  .regex(/^dev_[A-Za-z0-9_-]{1,60}$/, 'a device id of Atrium, such as dev_4xY2…, is expected');
const model = z
  .string()
  .refine((name) => deviceModelNamed(name) !== undefined, 'there is no such device model')
  .transform((name) => deviceModelNamed(name)!);

const lineUnit = z.strictObject({
  address: z.string().regex(LINE_ADDRESS, 'one to eight capital letters, digits and hyphens are expected'),
  deviceId: child,
  model,
});
const modbusDevice = z.strictObject({
  host: z.string().min(1),
  port: port(502),
  unitId: z.number().int().min(0).max(255).default(1),
  deviceId: child,
  model: model.refine(
    (each) => each.channels.some(({ modbus }) => modbus !== undefined),
    'the model has no Modbus registers',
  ),
  everySeconds: z.number().min(0.1).max(86_400).default(60),
});

const shape = z
  .strictObject({
    connectionStringFile: z.string().min(1).optional(),
    dataDir: z.string().min(1),
    cloud: z
      .strictObject({
        protocol: z.enum(['https', 'http']).default('https'),
        caFile: z.string().min(1).optional(),
      })
      .prefault({}),
    queue: z
      .strictObject({
        maximumMegabytes: z.number().min(1).max(1_000_000).default(1_024),
        maximumAgeDays: z.number().positive().optional(),
      })
      .prefault({}),
    line: z
      .strictObject({
        host: z.string().min(1).default('127.0.0.1'),
        port: port(4020),
        units: z.array(lineUnit),
      })
      .optional(),
    modbus: z.strictObject({ devices: z.array(modbusDevice) }).optional(),
  })
  .superRefine(({ line, modbus }, context) => {
    const units = line?.units ?? [];
    const devices = modbus?.devices ?? [];
    if (units.length + devices.length === 0) {
      context.addIssue({
        code: 'custom',
        path: [],
        message: 'it names no child: fill line.units or modbus.devices',
      });
    }
    const seen = new Set<string>();
    const once = (what: string, path: (string | number)[]): void => {
      if (seen.has(what)) context.addIssue({ code: 'custom', path, message: `${what} stands here twice` });
      seen.add(what);
    };
    units.forEach((unit, index) => {
      once(unit.address, ['line', 'units', index, 'address']);
      once(unit.deviceId, ['line', 'units', index, 'deviceId']);
    });
    devices.forEach((device, index) => once(device.deviceId, ['modbus', 'devices', index, 'deviceId']));
  });

export type FieldGatewayConfiguration = z.infer<typeof shape>;

/**
 * Reads the configuration file's text.
 * @throws OperatorError that names every mistake with its place.
 */
export function parseConfiguration(text: string, file: string): FieldGatewayConfiguration {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new OperatorError(`${file} is no JSON: ${(error as Error).message}`);
  }
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const mistakes = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new OperatorError(`${file} needs mending: ${mistakes.join('; ')}`);
}
