import { type DirectoryDevice } from '../../src/store/device-directory';
import { directoryOf } from '../gateway/devices.support';
import { startGateway } from '../gateway/gateway.support';

/** The gateway in a process of its own, so that a crash of it is a crash and its memory is its own. */
export interface VictimOrder {
  connectionString: string;
  devices: DirectoryDevice[];
}

export interface VictimPorts {
  port: number;
  mqttPort: number;
}

process.once('message', ({ connectionString, devices }: VictimOrder) => {
  void startGateway({
    connectionString,
    directory: directoryOf(
      devices.map((device) => ({ ...device, keys: device.keys.map((key) => Buffer.from(key)) })),
    ),
    limits: { packetWithinMilliseconds: 2_000, sweepMilliseconds: 500 },
  }).then(({ port, mqttPort, metrics }) => {
    process.on('message', () => void metrics.metrics().then((text) => process.send!({ metrics: text })));
    process.send!({ port, mqttPort } satisfies VictimPorts);
  });
});
process.on('disconnect', () => process.exit());
