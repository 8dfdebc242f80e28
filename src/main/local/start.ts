import { join } from 'node:path';
import { inheritedVariables, localSettings } from '../../config/environment';
import { explain } from '../../observability/logger';
import { OperatorError } from '../../observability/operator-error';
import { openDataFolder } from './data-folder';
import { createLiveTable } from './live-table';
import { atriumPlans, endpointsOf, servicePlans } from './plans';
import { choosePorts } from './ports';
import { seedDemoTenants } from './seed';
import { createSupervisor } from './supervisor';
import { welcome } from './welcome';

/** The whole of Atrium on one laptop: `npm start`. */
async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(
      'npm start: runs the whole of Atrium on 127.0.0.1 until Ctrl-C.\n\n' +
        'Settings by environment: DATA_DIR (.data), DEMO (on|off), and a port each: API_PORT, IDENTITY_PORT,\n' +
        'GATEWAY_PORT, GATEWAY_HTTPS_PORT, MQTT_PORT, MQTTS_PORT, AMQPS_PORT, EVENT_HUBS_PORT, COSMOS_PORT,\n' +
        'BLOB_PORT, GATEWAY_HEALTH_PORT, INGEST_HEALTH_PORT, ' +
        'AGGREGATE_HEALTH_PORT, EVENT_HUBS_HEALTH_PORT, COSMOS_HEALTH_PORT, JOBS_HEALTH_PORT; 0 takes a free one.\n' +
        'With TLS_CERT_FILE and TLS_KEY_FILE (PEM) devices are also heard over HTTPS, MQTTS and AMQPS.\n',
    );
    return;
  }
  const startedAt = Date.now();
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const settings = localSettings();
  const folder = openDataFolder(settings.DATA_DIR);
  const dist = join(__dirname, '..', '..', '..');
  const ports = await choosePorts(settings.HOST, {
    api: settings.API_PORT,
    identity: settings.IDENTITY_PORT,
    gateway: settings.GATEWAY_PORT,
    gatewayHttps: settings.GATEWAY_HTTPS_PORT,
    mqtt: settings.MQTT_PORT,
    mqtts: settings.MQTTS_PORT,
    amqps: settings.AMQPS_PORT,
    eventHubs: settings.EVENT_HUBS_PORT,
    cosmos: settings.COSMOS_PORT,
    blob: settings.BLOB_PORT,
    gatewayHealth: settings.GATEWAY_HEALTH_PORT,
    ingestHealth: settings.INGEST_HEALTH_PORT,
    aggregateHealth: settings.AGGREGATE_HEALTH_PORT,
    eventHubsHealth: settings.EVENT_HUBS_HEALTH_PORT,
    cosmosHealth: settings.COSMOS_HEALTH_PORT,
    jobsHealth: settings.JOBS_HEALTH_PORT,
  });
  const endpoints = endpointsOf(settings, ports, folder);

  let ready = false;
  const supervisor = createSupervisor({
    logs: join(folder.path, 'logs'),
    onChange({ name, what, detail }) {
      if (!ready) return;
      say(`${new Date().toISOString()} ${name} ${what} (${detail})`);
      folder.writeEndpoints({ ...endpoints, processes: supervisor.processes() });
    },
  });
  const table = createLiveTable({
    api: endpoints.api,
    issuer: endpoints.identity,
    people: ['owner@north.example', 'owner@south.example'],
    output: process.stdout,
  });

  let ending: Promise<void> | undefined;
  const end = (code: number): Promise<void> => {
    ending ??= (async () => {
      ready = false;
      table.stop();
      // Senders first, then those who take in, then those who work it off; the services last.
      await supervisor.stop([
        ['demo'],
        ['gateway'],
        ['aggregate', 'ingest', 'jobs', 'api'],
        ['identity', 'event-hubs', 'cosmos', 'blob'],
      ]);
      folder.release();
      process.exit(code);
    })();
    return ending;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (ending === undefined) say('stopping: finishing what was accepted');
      void end(0);
    });
  }
  if (process.channel) process.on('disconnect', () => void end(0));

  try {
    say('starting the local services');
    await Promise.all(servicePlans(dist, settings, ports, folder).map((plan) => supervisor.start(plan)));
    await seedDemoTenants({ endpoints, secrets: folder.secrets });
    say('starting Atrium');
    await Promise.all(
      atriumPlans(dist, settings, ports, folder, endpoints).map((plan) => supervisor.start(plan)),
    );
    ready = true;
    folder.writeEndpoints({ ...endpoints, processes: supervisor.processes() });
    say(`ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
    const demo = settings.DEMO === 'on';
    if (demo) {
      await supervisor.start({
        name: 'demo',
        script: join(dist, 'simulator', 'demo.js'),
        args: ['--endpoints', join(folder.path, 'endpoints.json')],
        env: { ...inheritedVariables(), DATA_DIR: settings.DATA_DIR },
      });
    }
    for (const line of await welcome(endpoints, settings.DATA_DIR, demo)) say(line);
    if (demo) table.start();
  } catch (error) {
    if (ending !== undefined) return;
    process.stderr.write(
      `${error instanceof OperatorError ? error.message : `the start failed: ${explain(error)}`}\n`,
    );
    await end(1);
  }
}

main().catch((error: unknown) => {
  if (!(error instanceof OperatorError)) throw error;
  process.stderr.write(`atrium: ${error.message}\n`);
  process.exit(1);
});
