import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { createCredentialStore } from '../../../simulator/credentials';
import { credentialsFolder } from '../../../simulator/endpoints';
import { createSasToken, parseConnectionString } from '../../../simulator/sas-token';
import { demoToken } from './demo-query';
import { type Endpoints } from './plans';

const DEMO_BUILDING = { tenantId: 'ten_north', name: 'Building 25' };
const DEMO_DEVICE_WAIT_MS = 30_000;

/** What to do first: the addresses, and two command lines that work as pasted. */
export async function welcome(endpoints: Endpoints, dataDir: string, demo: boolean): Promise<string[]> {
  const token = await demoToken(endpoints.identity, 'owner@north.example');
  const query = '{ buildings { nodes { id name averages { quantity mean unit readings windowEnd } } } }';
  const lines = [
    '',
    `  GraphQL        ${endpoints.api}  (in a browser: GraphiQL)`,
    `  subscriptions  ${endpoints.subscriptions}`,
    `  devices        ${[endpoints.gateway, endpoints.mqtt, endpoints.mqtts ?? [], endpoints.amqps ?? []].flat().join('  ')}`,
    `  identity       ${endpoints.identity}`,
    `  all addresses  ${join(dataDir, 'endpoints.json')}, logs in ${join(dataDir, 'logs')}`,
    '',
    'Ask what the buildings are doing now (the token lasts an hour):',
    '',
    `curl -s ${endpoints.api} -H 'authorization: Bearer ${token}' -H 'content-type: application/json' -d '${JSON.stringify({ query })}'`,
    '',
  ];
  const device = demo ? await demoDevice(dataDir) : undefined;
  if (device !== undefined) {
    const { deviceId } = parseConnectionString(device.connectionString);
    lines.push(
      `Send a reading as ${device.name} of ${DEMO_BUILDING.name} (204 means it is stored):`,
      '',
      `curl -i '${endpoints.gateway}/devices/${deviceId}/messages/events?api-version=2021-04-12' -H 'authorization: ${createSasToken(device.connectionString, 3600)}' -H 'content-type: application/json' -d '{"temperature": 21.5}'`,
      '',
    );
  }
  return lines;
}

/** A device of the demo, as soon as the demo has provisioned its buildings. */
async function demoDevice(dataDir: string): Promise<{ name: string; connectionString: string } | undefined> {
  const store = createCredentialStore(credentialsFolder(join(dataDir, 'endpoints.json')));
  const deadline = Date.now() + DEMO_DEVICE_WAIT_MS;
  while (Date.now() < deadline) {
    const building = store.load(DEMO_BUILDING.tenantId, DEMO_BUILDING.name);
    const entry = building && Object.entries(building.devices)[0];
    if (entry) return { name: entry[0], connectionString: entry[1].connectionString };
    await delay(200);
  }
  return undefined;
}
