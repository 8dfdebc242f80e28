/** `npm run -s token -- --user EMAIL`: prints an access token for a demo person of the local identity provider. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { OperatorError } from '../src/observability/operator-error';

const USAGE = `Usage: npm run -s token -- --user EMAIL [--issuer URL]

Prints an access token for a demo person, valid for an hour, for the GraphQL API:
  curl -H "Authorization: Bearer $(npm run -s token -- --user owner@north.example)" ...

  --user EMAIL   one of the demo people, such as owner@north.example
  --issuer URL   the identity provider; left out, that of the running platform (DATA_DIR/endpoints.json), or
                 http://127.0.0.1:4001
`;

const DEFAULT_ISSUER = 'http://127.0.0.1:4001';
const TIMEOUT_MS = 10_000;

async function main(): Promise<void> {
  const { values } = parse();
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  if (values.user === undefined) throw new OperatorError(`--user EMAIL is missing\n\n${USAGE}`);
  const issuer = values.issuer ?? runningIssuer() ?? DEFAULT_ISSUER;
  process.stdout.write(`${await requestToken(issuer, values.user)}\n`);
}

function parse() {
  try {
    return parseArgs({
      options: {
        user: { type: 'string' },
        issuer: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new OperatorError(`${(error as Error).message} (--help lists the options)`);
  }
}

/** The identity provider of the platform that runs over DATA_DIR, when one does. */
function runningIssuer(): string | undefined {
  try {
    const path = join(process.env.DATA_DIR ?? '.data', 'endpoints.json');
    const { identity } = JSON.parse(readFileSync(path, 'utf8')) as { identity?: unknown };
    return typeof identity === 'string' ? identity : undefined;
  } catch {
    return undefined;
  }
}

async function requestToken(issuer: string, user: string): Promise<string> {
  if (!URL.canParse(issuer)) throw new OperatorError(`--issuer is '${issuer}', expected a URL`);
  let response: Response;
  try {
    response = await fetch(new URL('/token', issuer), {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'urn:atrium:demo-person', client_id: 'atrium-cli', user }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new OperatorError(
      `the identity provider at ${issuer} does not answer: start the platform with 'npm start', or name another with --issuer`,
    );
  }
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (typeof answer.access_token === 'string') return answer.access_token;
  const reason = String(answer.error_description ?? answer.error ?? `HTTP status ${response.status}`);
  throw new OperatorError(`the identity provider at ${issuer} gave no token for '${user}': ${reason}`);
}

main().catch((error: unknown) => {
  const message = error instanceof OperatorError ? error.message : String((error as Error)?.stack ?? error);
  process.stderr.write(`token: ${message}\n`);
  process.exitCode = 1;
});
