import { connect, type ConnectionOptions } from 'node:tls';
import { createTicketKeys } from '../../src/gateway/tls';
import { createCertificates } from '../support/certificate';
import { buildDevice, tokenOf } from './devices.support';
import { startPlatform } from './gateway.support';

type Platform = Awaited<ReturnType<typeof startPlatform>>;

/** Sends a reading over HTTPS and hangs up: whether a session was resumed, and the session to come back with. */
async function send(
  platform: Platform,
  device: ReturnType<typeof buildDevice>,
  options: ConnectionOptions,
): Promise<{ resumed: boolean; session: Buffer; answer: string }> {
  const socket = connect({
    port: platform.httpsPort,
    host: '127.0.0.1',
    servername: 'localhost',
    ...options,
  });
  let session: Buffer | undefined;
  let resumed = false;
  socket.once('secureConnect', () => (resumed = socket.isSessionReused()));
  socket.on('session', (given) => (session = given));
  const body = '{"temperature":21}';
  socket.write(
    `POST /devices/${device.deviceId}/messages/events HTTP/1.1\r\nhost: h\r\nconnection: close\r\n` +
      `authorization: ${tokenOf(device)}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return { resumed, session: session!, answer: answer.split('\r\n')[0]! };
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a session of %s', (version) => {
  const device = buildDevice();
  const tls = createCertificates();
  const client: ConnectionOptions = { ca: tls.ca, maxVersion: version };

  test('is resumed by a gateway that started after it, and by no gateway with another key', async () => {
    const first = await startPlatform({ devices: [device], tls });
    let session: Buffer;
    try {
      const sent = await send(first, device, client);
      expect(sent).toMatchObject({ resumed: false, answer: 'HTTP/1.1 204 No Content' });
      ({ session } = sent);
    } finally {
      await first.stop();
    }
    const second = await startPlatform({ devices: [device], tls });
    try {
      expect(await send(second, device, { ...client, session })).toMatchObject({
        resumed: true,
        answer: 'HTTP/1.1 204 No Content',
      });
      expect(await second.metrics.metrics()).toMatch(/tls_handshakes_total\{how="resumed",.*\} 1/);
    } finally {
      await second.stop();
    }
    const other = createCertificates();
    const foreign = await startPlatform({ devices: [device], tls: other });
    try {
      expect(await send(foreign, device, { ...client, ca: other.ca, session })).toMatchObject({
        resumed: false,
        answer: 'HTTP/1.1 204 No Content',
      });
    } finally {
      await foreign.stop();
    }
  });
});

test('keys of session tickets are others each day, and the same for whoever has the private key', () => {
  const { key } = createCertificates();
  const ours = createTicketKeys(key);
  expect(ours(20_000)).toHaveLength(48);
  expect(createTicketKeys(Buffer.from(key))(20_000)).toEqual(ours(20_000));
  expect(ours(20_001)).not.toEqual(ours(20_000));
  expect(createTicketKeys(createCertificates().key)(20_000)).not.toEqual(ours(20_000));
});
