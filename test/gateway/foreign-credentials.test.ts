import { pino } from 'pino';
import { generateKeyPair, SignJWT } from 'jose';
import { apiKeyText, newApiKeySecret } from '../../src/auth/api-key';
import { newId } from '../../src/domain/id';
import { createCertificates } from '../support/certificate';
import { connectAmqp } from './amqp.support';
import { buildDevice, tokenOf } from './devices.support';
import { startPlatform } from './gateway.support';
import { connectCode } from './mqtt.support';

describe('what people and programs sign in with', () => {
  const { ca, ...certificate } = createCertificates();
  const device = buildDevice();
  const logged: string[] = [];
  let platform: Awaited<ReturnType<typeof startPlatform>>;
  /** One that is made with another's key, and those that are for the API. */
  let wrong: string;
  const foreign: string[] = [];
  beforeAll(async () => {
    platform = await startPlatform({
      devices: [device],
      tls: certificate,
      logger: pino({ level: 'trace' }, { write: (line: string) => logged.push(line) }),
    });
    wrong = tokenOf({ ...buildDevice(), deviceId: device.deviceId });
    const { privateKey } = await generateKeyPair('ES256');
    foreign.push(
      await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).setSubject('somebody').sign(privateKey),
      apiKeyText({ id: newId('key'), secret: newApiKeySecret() }),
    );
  });
  afterAll(() => platform.stop());
  afterEach(() => {
    for (const each of [wrong, ...foreign]) {
      // Neither the whole nor what proves it.
      expect(logged.filter((line) => line.includes(each) || line.includes(each.slice(-40)))).toEqual([]);
    }
  });

  it('is any wrong credential over HTTP', async () => {
    const ask = async (authorization: string) => {
      const response = await fetch(
        `${platform.url}/devices/${device.deviceId}/messages/events?api-version=2021-04-12`,
        { method: 'POST', headers: { authorization }, body: '{"temperature": 21}' },
      );
      const headers = [...response.headers].filter(([name]) => name !== 'date');
      return { status: response.status, headers, body: await response.text() };
    };
    const expected = await ask(wrong);
    expect(expected.status).toBe(401);
    for (const each of foreign.flatMap((text) => [text, `Bearer ${text}`])) {
      expect(await ask(each)).toEqual(expected);
    }
  });

  it('is any wrong password over MQTT', async () => {
    const expected = await connectCode(platform.mqttPort, device, { password: wrong });
    expect(expected).not.toBe(0);
    for (const password of foreign) {
      expect(await connectCode(platform.mqttPort, device, { password })).toBe(expected);
    }
  });

  it('is any wrong token over AMQP', async () => {
    for (const token of [wrong, ...foreign]) {
      const client = await connectAmqp(platform.amqpsPort, ca);
      expect(await client.putToken(device, token)).toBe(401);
      client.close();
    }
  });
});
