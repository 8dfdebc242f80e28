import { parseArgs } from 'node:util';
import { TABLES_SCRIPT, writeHiveScripts } from '../../analytics/hive';
import { type EngineName, ENGINES } from '../../analytics/hive/dialect';
import { atriumSettings } from '../../config/environment';
import { OperatorError } from '../../observability/operator-error';
import { openColdStore } from './blobs';
import { type Command } from './command';

const DEFAULT_FOLDER = 'analytics/hive';

/** Writes scripts for Hive and Spark over what is published now. */
export const hiveScripts: Command = {
  name: 'hive-scripts',
  summary: 'writes tables for Hive and Spark over what is published now, and sample questions',
  options: [
    `--out FOLDER      where the scripts go (${DEFAULT_FOLDER})`,
    `--engine NAME     ${ENGINES.join(', ')} (spark)`,
    '--root URL        where the engine finds the container, e.g. abfss://telemetry@example.dfs.core.windows.net;',
    '                  left out, that of BLOB_ACCOUNT_URL',
    '--tenant ID       the readings of one tenant alone',
    '--curated-only    without what is not curated yet: for those who may not read the landing, which holds all tenants',
  ],
  async run(args, say) {
    const { out, engine, root, tenant, curatedOnly } = optionsOf(args);
    const { blobs, container } = openColdStore();
    const report = await writeHiveScripts(blobs.getContainerClient(container), {
      folder: out,
      engine,
      root: root ?? rootOfAccount(container),
      tenantId: tenant,
      landing: !curatedOnly,
      now: Date.now(),
    }).catch((error: unknown) => {
      throw error instanceof RangeError ? new OperatorError(error.message) : error;
    });
    say(
      `${out}/${TABLES_SCRIPT}: ${report.generations} generations of ${report.tenants} tenants, ` +
        `${report.landingHours} hours of a partition of the landing`,
    );
    if (tenant !== null && report.tenants === 0) say(`nothing of ${tenant} is curated, or it was erased`);
  },
};

function optionsOf(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        out: { type: 'string', default: DEFAULT_FOLDER },
        engine: { type: 'string', default: 'spark' },
        root: { type: 'string' },
        tenant: { type: 'string' },
        'curated-only': { type: 'boolean', default: false },
      },
    });
    const engine = ENGINES.find((each) => each === values.engine);
    if (engine === undefined) {
      throw new Error(`--engine ${values.engine} is none of ${ENGINES.join(', ')}`);
    }
    if (values.tenant !== undefined && !/^[A-Za-z0-9_-]+$/.test(values.tenant)) {
      throw new Error(`--tenant ${values.tenant} is no id of a tenant`);
    }
    return {
      out: values.out,
      engine: engine satisfies EngineName,
      root: values.root,
      tenant: values.tenant ?? null,
      curatedOnly: values['curated-only'],
    };
  } catch (error) {
    throw new OperatorError((error as Error).message);
  }
}

/** Engines reach an account by its endpoint for files. */
function rootOfAccount(container: string): string {
  const { BLOB_ACCOUNT_URL: account } = atriumSettings();
  const host = account === undefined ? undefined : /^https:\/\/([^./]+)\.blob\.([^/]+)\/?$/.exec(account);
  if (!host) {
    throw new OperatorError(
      'say by --root where the engine finds the container, e.g. abfss://CONTAINER@ACCOUNT.dfs.core.windows.net',
    );
  }
  return `abfss://${container}@${host[1]}.dfs.${host[2]}`;
}
