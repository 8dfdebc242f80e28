import { askBuildings, demoToken, type TableBuilding } from './demo-query';

const COLUMNS = ['AIR_TEMPERATURE', 'RELATIVE_HUMIDITY', 'CO2_LEVEL', 'ILLUMINANCE', 'MOTION_LEVEL'] as const;
const TITLES = ['temperature', 'humidity', 'CO2', 'light', 'motion'];
const TOKEN_LIFE_MS = 10 * 60_000;

/** The buildings of several people as lines of text. Pure, so that it can be read in a test. */
export function renderTable(buildings: readonly TableBuilding[], now: Date): string[] {
  const rows = buildings.map((building) => {
    const byQuantity = new Map(building.averages.map((each) => [each.quantity, each]));
    const cells = COLUMNS.map((quantity) => {
      const average = byQuantity.get(quantity);
      if (average === undefined) return '';
      return average.mean === null ? '-' : `${average.mean.toFixed(2)} ${average.unit}`;
    });
    const reporting = Math.max(0, ...building.averages.map((each) => each.devicesReporting));
    const expected = Math.max(0, ...building.averages.map((each) => each.devicesExpected));
    const readings = building.averages.reduce((sum, each) => sum + each.readings, 0);
    return [
      `${building.tenant.name} / ${building.name}`,
      ...cells,
      String(readings),
      `${reporting} of ${expected}`,
    ];
  });
  const header = ['building', ...TITLES, 'readings', 'devices'];
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: string[]): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return [
    `averages over the last five minutes, ${now.toISOString().slice(0, 19)}Z (Ctrl-C stops everything)`,
    line(header),
    ...rows.map(line),
  ];
}

/**
 * Prints the table again and again: in place on a terminal every two seconds, otherwise as plain lines every fifteen.
 * It asks the public API with the demo people's tokens, like any dashboard.
 */
export function createLiveTable(options: {
  api: string;
  issuer: string;
  people: readonly string[];
  output: NodeJS.WriteStream;
}): { start(): void; stop(): void } {
  const { output } = options;
  const tokens = new Map<string, { token: string; until: number }>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let height = 0;

  const tokenOf = async (person: string): Promise<string> => {
    const held = tokens.get(person);
    if (held !== undefined && Date.now() < held.until) return held.token;
    const token = await demoToken(options.issuer, person);
    tokens.set(person, { token, until: Date.now() + TOKEN_LIFE_MS });
    return token;
  };

  const draw = async (): Promise<void> => {
    let lines: string[];
    try {
      const answers = await Promise.all(
        options.people.map(async (person) => askBuildings(options.api, await tokenOf(person))),
      );
      lines = renderTable(answers.flat(), new Date());
    } catch (error) {
      lines = [`the API does not answer just now (${(error as Error).message})`];
    }
    if (stopped) return;
    if (output.isTTY) {
      if (height > 0) output.write(`\u001b[${height}A\u001b[0J`);
      height = lines.length;
      output.write(`${lines.map((each) => each.slice(0, output.columns || 160)).join('\n')}\n`);
    } else {
      output.write(`${lines.join('\n')}\n`);
    }
  };

  const round = (): void => {
    void draw().finally(() => {
      if (!stopped) timer = setTimeout(round, output.isTTY ? 2_000 : 15_000);
    });
  };

  return {
    start: round,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
