import { createBurst } from '../../simulator/burst';
import { planSteady } from '../../simulator/steady';

const NOW = 1_790_000_000_000;

describe('a burst', () => {
  const [plan] = planSteady({ name: 'Burst', buildings: 1, devices: 2, models: ['room-sensor'] });
  const devices = plan!.devices.map((device, i) => ({
    ...device,
    deviceId: `dev_${i}`,
    connectionString: `HostName=h;DeviceId=dev_${i};SharedAccessKey=a2V5`,
  }));

  it('brings the readings asked for in one message, as the log will tell of them', () => {
    const message = createBurst({ devices, batch: 100 }).next(NOW);
    expect(message.readings).toHaveLength(100);
    const records = JSON.parse(message.body.toString()) as Record<string, unknown>[];
    expect(records).toHaveLength(20);
    for (const { index, channel, value, observedAt } of message.readings) {
      expect(records[index]![channel]).toBe(value);
      expect(records[index]!.observedAt).toBe(new Date(observedAt).toISOString());
    }
  });

  it('never gives a device one instant twice, however fast it sends', () => {
    const burst = createBurst({ devices, batch: 100 });
    const seen = new Set<string>();
    let readings = 0;
    for (let i = 0; i < 200; i++) {
      const message = burst.next(NOW + i * 7);
      for (const { channel, observedAt } of message.readings) {
        seen.add(`${message.device.deviceId} ${channel} ${observedAt}`);
        readings++;
      }
    }
    expect(seen.size).toBe(readings);
  });
});
