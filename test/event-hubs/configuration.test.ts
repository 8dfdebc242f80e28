import { parseConfiguration } from '../../emulators/event-hubs/configuration';
import { readArguments } from '../../emulators/event-hubs/arguments';

const withEntities = (...entities: unknown[]): unknown => ({
  UserConfig: {
    NamespaceConfig: [{ Type: 'EventHub', Name: 'emulatorNs1', Entities: entities }],
    LoggingConfig: { Type: 'File' },
  },
});

describe('the configuration', () => {
  test("is read in the shape of Microsoft's emulator, with $Default among the consumer groups", () => {
    const { configuration, problems } = parseConfiguration(
      withEntities({ Name: 'eh1', PartitionCount: '2', ConsumerGroups: [{ Name: 'cg1' }] }),
    );
    expect(problems).toEqual([]);
    expect(configuration.hubs).toEqual([
      expect.objectContaining({
        namespace: 'emulatorNs1',
        name: 'eh1',
        partitionCount: 2,
        consumerGroups: ['$Default', 'cg1'],
      }),
    ]);
  });

  test('keeps what was written for retention', () => {
    const { configuration } = parseConfiguration(
      withEntities({ Name: 'a', PartitionCount: 1, RetentionHours: 2, RetentionBytes: 1000 }),
    );
    expect(configuration.hubs[0]).toMatchObject({ retentionMilliseconds: 7_200_000, retentionBytes: 1000 });
  });

  test('reports all mistakes at once, each with its place', () => {
    const { problems } = parseConfiguration(
      withEntities(
        { Name: 'no spaces', PartitionCount: 0 },
        { Name: 'b', PartitionCount: 'many' },
        { Name: 'B', PartitionCount: 1, ConsumerGroups: [{}] },
      ),
    );
    expect(problems).toEqual([
      expect.stringMatching(/^NamespaceConfig\[0\]\.Entities\[0\]\.Name must be a name/),
      expect.stringMatching(
        /^NamespaceConfig\[0\]\.Entities\[0\]\.PartitionCount must be a whole number from 1/,
      ),
      expect.stringMatching(/^NamespaceConfig\[0\]\.Entities\[1\]\.PartitionCount .* not "many"/),
      expect.stringMatching(/^NamespaceConfig\[0\]\.Entities\[2\]\.ConsumerGroups\[0\]\.Name/),
      expect.stringMatching(/'B' is used twice/),
    ]);
  });

  test.each([
    undefined,
    null,
    5,
    'text',
    [],
    {},
    { UserConfig: {} },
    { UserConfig: { NamespaceConfig: [] } },
  ])('refuses %p', (value) => {
    expect(parseConfiguration(value).problems).toHaveLength(1);
  });
});

describe('the arguments', () => {
  test('are taken from flags first and from the environment second', () => {
    const read = readArguments(['--port', '1234'], { EVENT_HUBS_PORT: '1', EVENT_HUBS_KEY: 'secret' });
    expect(read).toMatchObject({ port: 1234, key: 'secret', healthPort: 9104, fsync: true, faults: false });
  });

  test('are refused with one sentence that names every mistake', () => {
    expect(() => readArguments(['--port', 'x', '--health-port', '99999'], {})).toThrow(
      /--port .* 'x'; --health-port/,
    );
    expect(() => readArguments(['--prot', '1'], {})).toThrow(/'--prot'.*see --help/);
    expect(() => readArguments(['--tls-key', 'a.pem'], {})).toThrow(/given together/);
  });
});
