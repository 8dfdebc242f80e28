/** How a device's messages reach the gateway; of a relayed one, how those of the device that relays for it do. */
export const DEVICE_PROTOCOLS = ['HTTP', 'MQTT', 'AMQP'] as const;
export type DeviceProtocol = (typeof DEVICE_PROTOCOLS)[number];

/** Codes are stored: a further protocol goes to the end of the list. 0 stands for none. */
export function codeOfProtocol(protocol: DeviceProtocol): number {
  return DEVICE_PROTOCOLS.indexOf(protocol) + 1;
}

/** Null for none, and for one that only a later release knows. */
export function protocolOfCode(code: number): DeviceProtocol | null {
  return DEVICE_PROTOCOLS[code - 1] ?? null;
}
