import { buildReading } from '../support/readings';
import { eventually } from '../support/eventually';
import { type Platform, startPlatform } from './platform';

describe('the ingest worker', () => {
  let platform: Platform;
  beforeEach(async () => {
    platform = await startPlatform();
  });
  afterEach(() => platform.stop());

  it('lands every reading of the stream once, with all that is known of it', async () => {
    const plain = buildReading({ observedAt: 1_790_000_000_123, value: -3.25 });
    const converted = buildReading({
      pointOrdinal: 1,
      original: { value: 70, unit: '[degF]' },
      value: 21.11,
    });
    const stamped = buildReading({ pointOrdinal: 2, undated: { messageId: 'm-1', messageIndex: 4 } });
    await platform.send(0, [plain, converted]);
    await platform.send(1, [stamped]);
    await platform.buildWorker().start();

    const { landing } = await eventually(() => platform.landedAll());
    const rows = await landing.query<Record<string, unknown>>(
      `SELECT partition, sequence::INT AS sequence, row, tenant_id, building_id, space_id, point_id, device_id,
         quantity, epoch_ms(observed_at)::DOUBLE AS observed, epoch_ms(received_at)::DOUBLE AS received, value,
         original_value, original_unit, time_source, message_id, message_index
       FROM landing ORDER BY partition, sequence, row`,
    );
    const common = {
      tenant_id: 'ten_a',
      building_id: 'bld_a',
      space_id: 'spc_a',
      quantity: 'AIR_TEMPERATURE',
      received: plain.receivedAt,
    };
    const absent = {
      original_value: null,
      original_unit: null,
      message_id: null,
      message_index: null,
      time_source: 'DEVICE',
    };
    expect(rows).toEqual([
      {
        ...common,
        ...absent,
        partition: 0,
        sequence: 0,
        row: 0,
        point_id: 'pnt_0',
        device_id: 'dev_0',
        observed: 1_790_000_000_123,
        value: -3.25,
      },
      {
        ...common,
        ...absent,
        partition: 0,
        sequence: 0,
        row: 1,
        point_id: 'pnt_1',
        device_id: 'dev_1',
        observed: converted.observedAt,
        value: 21.11,
        original_value: 70,
        original_unit: '[degF]',
      },
      {
        ...common,
        ...absent,
        partition: 1,
        sequence: 0,
        row: 0,
        point_id: 'pnt_2',
        device_id: 'dev_2',
        observed: stamped.observedAt,
        value: 21.5,
        time_source: 'GATEWAY',
        message_id: 'm-1',
        message_index: 4,
      },
    ]);
  });
});
