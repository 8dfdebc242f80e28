import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OperatorError } from '../src/observability/operator-error';

/** What the simulator needs to know of a running platform. */
export interface Endpoints {
  api: string;
  identity: string;
  gateway: string;
}

/** Reads `endpoints.json`, which a running platform keeps in its data folder. */
export function readEndpoints(file: string): Endpoints {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new OperatorError(
      `no platform runs over ${file}: start one by 'npm start', or name its endpoints.json by --attach`,
    );
  }
  let found: Partial<Record<string, unknown>>;
  try {
    found = JSON.parse(text) as Partial<Record<string, unknown>>;
  } catch {
    throw new OperatorError(`${file} is not an endpoints.json (it is no JSON): name another by --attach`);
  }
  const url = (name: string): string => {
    const value = found[name];
    if (typeof value !== 'string' || !URL.canParse(value)) {
      throw new OperatorError(`${file} names no URL for '${name}': it is not that of a running platform`);
    }
    return value;
  };
  return { api: url('api'), identity: url('identity'), gateway: url('gateway') };
}

/** Where the simulator keeps the credentials of the devices it provisioned on that platform. */
export function credentialsFolder(endpointsFile: string): string {
  return join(dirname(endpointsFile), 'simulator');
}
