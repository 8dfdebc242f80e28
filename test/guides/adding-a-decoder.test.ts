import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAYLOAD_DECODERS } from '../../src/gateway/decoders';
import { buildDevice } from '../gateway/devices.support';
import { post, startPlatform } from '../gateway/gateway.support';
import { eventually } from '../support/eventually';
import { keyValue } from './key-value';

describe('the guide to adding a decoder', () => {
  it('shows the very code that is run here', () => {
    const guide = readFileSync(join(__dirname, '..', '..', 'docs', 'guides', 'adding-a-decoder.md'), 'utf8');
    const shown = /```ts\n([^]*?)```/.exec(guide)![1]!;
    const run = readFileSync(join(__dirname, 'key-value.ts'), 'utf8');
    expect(shown).toBe(run.replaceAll("'../../src/gateway/decoders/", "'./"));
  });

  it('takes its payload through the gateway, and refuses what is no number where it stands', async () => {
    const device = buildDevice({ model: 'room-sensor' });
    const platform = await startPlatform({ devices: [device], decoders: [...PAYLOAD_DECODERS, keyValue] });
    try {
      const headers = { 'content-type': 'text/vnd.example.key-value', 'iothub-messageid': 'm1' };
      const answer = await post(platform, device, 'temperature=21.5\nhumidity=damp\nlight\nco2=600\n', {
        headers,
      });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        accepted: 2,
        refused: [
          { index: 1, channel: 'humidity', code: 'VALUE_NOT_FINITE' },
          { index: 2, channel: '', code: 'PAYLOAD_INVALID' },
        ],
      });
      await eventually(() =>
        expect(platform.stream.readings.map((each) => each.value).sort()).toEqual([21.5, 600]),
      );
      expect(platform.stream.refused.map((each) => each.raw)).toEqual(['"humidity=damp"', '"light"']);
      expect((await post(platform, device, '', { headers })).body.error).toMatchObject({
        code: 'PAYLOAD_INVALID',
        message: 'the body holds no line',
      });
    } finally {
      await platform.stop();
    }
  });
});
