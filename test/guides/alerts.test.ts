import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSender } from '../../src/webhooks/sender';
import { signedHeaders } from '../../src/webhooks/signature';
import { eventually } from '../support/eventually';

describe('the guide to alerts', () => {
  it('shows a server that takes what is signed, once, and nothing else', async () => {
    const guide = readFileSync(join(__dirname, '..', '..', 'docs', 'alerts.md'), 'utf8');
    const [, program] = /```js\n([^]*?)```/.exec(guide)!;
    const secret = Buffer.alloc(32, 5);
    const child = spawn(process.execPath, ['--input-type=commonjs', '-e', program!], {
      env: { PORT: '0', WEBHOOK_SECRET: `whsec_${secret.toString('base64')}` },
    });
    let printed = '';
    child.stdout.on('data', (chunk) => (printed += String(chunk)));
    child.stderr.on('data', (chunk) => (printed += String(chunk)));
    try {
      const [, port] = await eventually(() => {
        const found = /listening (\d+)/.exec(printed);
        if (found === null) throw new Error(`not listening: ${printed}`);
        return found;
      });
      const sender = createSender({ allowPrivate: true });
      const body = JSON.stringify({ type: 'alert.raised' });
      const send = (secrets: Buffer[], at = Date.now()) =>
        sender.send(
          `http://127.0.0.1:${port}/`,
          { ...signedHeaders({ id: 'whd_1', at, body, secrets }), 'content-type': 'application/json' },
          body,
        );
      expect((await send([secret])).status).toBe(204);
      expect((await send([Buffer.alloc(32, 6), secret])).status).toBe(204);
      expect((await send([Buffer.alloc(32, 6)])).status).toBe(401);
      expect((await send([secret], Date.now() - 600_000)).status).toBe(401);
      expect(printed.match(/alert\.raised/g)).toHaveLength(1);
    } finally {
      child.kill();
    }
  });
});
