import { type Message, types } from 'rhea';
import { type Policy } from '../configuration';
import { checkToken, type Claims } from './claims';
import { type Replies } from './requests';

/**
 * Claims-based security: a `put-token` request at `$cbs` gives a connection the rights of a token over an audience,
 * for as long as the token is valid. A later token for the same audience replaces it, which is how clients renew.
 */
export function answerPutToken(options: {
  request: Message;
  replies: Replies;
  claims: Claims;
  policies: readonly Policy[];
  now: number;
  /** A fault: refuse whatever comes. */
  refuse: boolean;
  onRefused: (problem: string) => void;
  onAccepted: () => void;
}): void {
  const { request, replies, claims } = options;
  const properties = (request.application_properties ?? {}) as Record<string, unknown>;
  const reply = (status: number, description: string, condition?: string): void =>
    replies.send(request, {
      properties: {
        'status-code': types.wrap_int(status),
        'status-description': description,
        ...(condition ? { 'error-condition': types.wrap_symbol(condition) } : {}),
      },
      body: null,
    });
  if (properties.operation !== 'put-token') {
    reply(400, `The operation '${String(properties.operation)}' is not known: it must be put-token.`);
    return;
  }
  const checked = options.refuse
    ? { problem: 'InvalidSignature: The token has an invalid signature.' }
    : checkToken({
        token: String(request.body),
        audience: String(properties.name),
        policies: options.policies,
        now: options.now,
      });
  if ('problem' in checked) {
    options.onRefused(checked.problem);
    reply(401, checked.problem, 'amqp:unauthorized-access');
    return;
  }
  claims.put(checked);
  reply(202, 'Accepted');
  options.onAccepted();
}
