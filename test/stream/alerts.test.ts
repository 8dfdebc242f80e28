import { alertIdOf } from '../../src/domain/alert';
import { type AlertEventDocument } from '../../src/store/alert-documents';
import { ALERTS_SCHEMA, decodeAlertEvent, encodeAlertEvent } from '../../src/stream/alerts';
import { decodeAverages } from '../../src/stream/averages';
import { FrameError, SCHEMA_PROPERTY } from '../../src/stream/frame';

const subject = {
  buildingId: 'bld_a',
  spaceId: 'spc_1',
  deviceId: 'dev_1',
  pointId: 'pnt_1',
  quantity: 'AIR_TEMPERATURE',
} as const;

const event: AlertEventDocument = {
  id: 'ale_000000000007',
  type: 'alertEvent',
  buildingId: 'bld_a',
  tenantId: 'ten_a',
  number: 7,
  change: 'RAISED',
  at: 1_790_000_000_000,
  alert: {
    id: alertIdOf({ id: 'alr_1', revision: 1 }, subject, 1_790_000_000_000),
    type: 'alert',
    buildingId: 'bld_a',
    tenantId: 'ten_a',
    ruleId: 'alr_1',
    ruleRevision: 1,
    ruleName: 'This unit is overheating',
    severity: 'CRITICAL',
    subject,
    condition: { kind: 'READING', comparison: 'ABOVE', low: null, high: 40, hysteresis: 1, forMs: 0 },
    onset: 1_790_000_000_000,
    raisedAt: 1_790_000_000_000,
    value: 41.5,
    clearedAt: null,
    clearedBecause: null,
    acknowledged: null,
    position: { incarnation: '1-2', partition: 1, sequence: 12 },
    sortKey: '001790000000000\nalt_1',
  },
  ttl: 34_560_000,
};
const properties = { [SCHEMA_PROPERTY]: ALERTS_SCHEMA };

describe('an alert on the averages stream', () => {
  it('arrives as it was sent', () => {
    expect(decodeAlertEvent(encodeAlertEvent(event), properties)).toEqual(event);
  });

  it('is passed by where only values are read, as the release before does', () => {
    expect(() => decodeAverages(encodeAlertEvent(event), properties)).toThrow(FrameError);
  });

  it('is refused as a value where it is damaged, whatever is damaged', () => {
    const body = encodeAlertEvent(event);
    for (let length = 0; length < body.length; length += 7) {
      expect(() => decodeAlertEvent(body.subarray(0, length), properties)).toThrow(FrameError);
    }
    for (const other of ['null', '1', '[]', '{}', '{"type":"alertEvent"}']) {
      expect(() => decodeAlertEvent(Buffer.from(other), properties)).toThrow(FrameError);
    }
    expect(() => decodeAlertEvent('text', properties)).toThrow(FrameError);
    expect(() => decodeAlertEvent(body, undefined)).toThrow(FrameError);
  });
});

describe('the id of an alert', () => {
  it('follows from rule, revision, subject and onset, and from nothing else', () => {
    const id = alertIdOf({ id: 'alr_1', revision: 1 }, subject, 5);
    expect(alertIdOf({ id: 'alr_1', revision: 1 }, { ...subject, spaceId: 'spc_2', deviceId: null }, 5)).toBe(
      id,
    );
    const others = [
      alertIdOf({ id: 'alr_2', revision: 1 }, subject, 5),
      alertIdOf({ id: 'alr_1', revision: 2 }, subject, 5),
      alertIdOf({ id: 'alr_1', revision: 1 }, { ...subject, pointId: 'pnt_2' }, 5),
      alertIdOf({ id: 'alr_1', revision: 1 }, { ...subject, pointId: null }, 5),
      alertIdOf({ id: 'alr_1', revision: 1 }, subject, 6),
    ];
    expect(new Set([id, ...others]).size).toBe(6);
  });
});
