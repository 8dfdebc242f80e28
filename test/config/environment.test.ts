import {
  gatewaySettings,
  handedToApi,
  ingestSettings,
  inheritedVariables,
} from '../../src/config/environment';

const enough = {
  EVENT_HUBS_CONNECTION_STRING: 'Endpoint=sb://127.0.0.1:5672',
  COSMOS_ENDPOINT: 'http://127.0.0.1:8081',
  DEVICE_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
};

describe('the settings', () => {
  it('take their defaults where a variable is absent or empty', () => {
    const settings = gatewaySettings({ ...enough, GATEWAY_PORT: '' });
    expect(settings.GATEWAY_PORT).toBe(8080);
    expect(settings.GATEWAY_HOST_NAMES).toEqual(['127.0.0.1', 'localhost']);
    expect(settings.DEVICE_KEY_ENCRYPTION_KEY).toEqual(Buffer.alloc(32, 7));
  });

  it('report every mistake at once, by name, with what was found and what is expected', () => {
    const read = (): unknown => gatewaySettings({ GATEWAY_PORT: 'eighty', LOG_LEVEL: 'loud' });
    expect(read).toThrow(/GATEWAY_PORT is 'eighty'.*port of the device gateway/);
    expect(read).toThrow(/LOG_LEVEL is 'loud'/);
    expect(read).toThrow(/COSMOS_ENDPOINT is missing/);
    expect(read).toThrow(/DEVICE_KEY_ENCRYPTION_KEY is missing/);
    expect(read).toThrow(/EVENT_HUBS_CONNECTION_STRING is missing \(or set EVENT_HUBS_NAMESPACE\)/);
  });

  it('ask for a certificate and its key together', () => {
    const settings = gatewaySettings(enough);
    expect(settings).toMatchObject({
      GATEWAY_HTTPS_PORT: 8443,
      MQTT_PORT: 1883,
      MQTTS_PORT: 8883,
      AMQPS_PORT: 5671,
    });
    const files = { TLS_CERT_FILE: 'server.pem', TLS_KEY_FILE: 'server.key' };
    expect(gatewaySettings({ ...enough, ...files })).toMatchObject(files);
    expect(() => gatewaySettings({ ...enough, TLS_CERT_FILE: 'server.pem', TLS_KEY_FILE: '' })).toThrow(
      /TLS_CERT_FILE and TLS_KEY_FILE go together/,
    );
  });

  it('never repeat a secret', () => {
    const secret = Buffer.from('too short').toString('base64');
    const read = (): unknown => gatewaySettings({ ...enough, DEVICE_KEY_ENCRYPTION_KEY: secret });
    expect(read).toThrow(/DEVICE_KEY_ENCRYPTION_KEY is a value: it must be 32 bytes/);
    expect(read).not.toThrow(secret);
  });

  it('ask a worker for both a stream and a blob account', () => {
    expect(() => ingestSettings({})).toThrow(/EVENT_HUBS_.*BLOB_CONNECTION_STRING is missing/);
  });

  it('are handed to the API on a laptop where somebody wants them otherwise, and no others', () => {
    expect(
      handedToApi({ API_ORIGINS: 'https://a.example', CLIENT_COST_CAPACITY: '7', CURSOR_KEY: 'x' }),
    ).toEqual({
      API_ORIGINS: 'https://a.example',
      CLIENT_COST_CAPACITY: '7',
    });
  });

  it('hand a child process no setting of the supervisor', () => {
    expect(inheritedVariables({ PATH: '/bin', COSMOS_KEY: 'secret', HOME: '/root' })).toEqual({
      PATH: '/bin',
      HOME: '/root',
    });
  });
});
