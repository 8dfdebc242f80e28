import { createHmac } from 'node:crypto';

/**
 * The headers of a delivery as Standard Webhooks has them
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md): a signature for each
 * secret, so that a receiver may take a new one over at leisure.
 *
 * @param at milliseconds since 1970; receivers refuse what is minutes off, so that a recorded delivery cannot be replayed.
 */
export function signedHeaders(options: {
  id: string;
  at: number;
  body: string;
  secrets: readonly Buffer[];
}): Record<string, string> {
  const { id, at, body, secrets } = options;
  const timestamp = String(Math.floor(at / 1000));
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`,
  );
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}
