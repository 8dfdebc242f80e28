import tseslint from 'typescript-eslint';
import boundaries from 'eslint-plugin-boundaries';

/** Who may import whom: the table of docs/architecture.md, row by row. Everything may use domain and observability. */
const anywhere = ['domain', 'observability'];
const rooms = {
  domain: [],
  observability: [],
  config: [],
  store: ['auth'],
  auth: [],
  stream: ['store'],
  live: ['stream'],
  analytics: ['store'],
  gateway: ['auth', 'store', 'stream'],
  'field-gateway': [],
  ingest: ['stream', 'store'],
  aggregate: ['stream', 'store'],
  'dead-letters': ['auth', 'gateway', 'stream', 'store'],
  webhooks: ['auth', 'store'],
  erasure: ['analytics', 'store'],
  resolvers: ['auth', 'live', 'analytics', 'store'],
  api: ['resolvers', 'auth', 'live', 'store'],
  main: [
    'config',
    'store',
    'auth',
    'stream',
    'live',
    'analytics',
    'gateway',
    'field-gateway',
    'ingest',
    'aggregate',
    'dead-letters',
    'webhooks',
    'erasure',
    'resolvers',
    'api',
    'main-local',
  ],
};
const outside = ['simulator', 'emulators', 'bench', 'test'];

const policies = Object.entries(rooms).map(([from, allowed]) => ({
  from: { element: { type: from } },
  allow: { to: { element: { type: [from, ...(from === 'domain' ? [] : anywhere), ...allowed] } } },
}));

const environment = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'process.env is read in src/config/environment.ts alone',
};
const directory = {
  selector: "CallExpression[callee.name='directoryScope']",
  message: 'only device authentication and claiming may look devices up whoever owns them',
};

export default tseslint.config(
  {
    ignores: ['dist/', 'node_modules/', '.data/', '.cache/', 'simulator/generated/', '**/*.cjs', '**/*.mjs'],
  },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { boundaries },
    settings: {
      'import/resolver': { typescript: { project: './tsconfig.json' } },
      'boundaries/elements': [
        { type: 'main-local', pattern: 'src/main/local' },
        ...Object.keys(rooms).map((room) => ({ type: room, pattern: `src/${room}` })),
        ...outside.map((room) => ({ type: room, pattern: room })),
      ],
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
      ],
      'no-restricted-syntax': ['error', environment, directory],
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          policies: [
            ...policies,
            {
              from: { element: { type: 'main-local' } },
              allow: {
                to: { element: { type: [...Object.keys(rooms), 'main-local', 'emulators', 'simulator'] } },
              },
            },
            {
              from: { element: { type: 'emulators' } },
              allow: { to: { element: { type: ['emulators', 'domain', 'observability'] } } },
            },
            {
              from: { element: { type: 'simulator' } },
              allow: { to: { element: { type: ['simulator', 'domain', 'observability'] } } },
            },
            {
              from: { element: { type: ['bench', 'test'] } },
              allow: { to: { element: { type: [...Object.keys(rooms), 'main-local', ...outside] } } },
            },
          ],
        },
      ],
    },
  },
  {
    // Decorated classes need their types at run time: type-graphql reads them from the metadata.
    files: ['src/resolvers/**/*.ts', 'src/api/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': 'off' },
  },
  {
    files: ['src/main/gateway.ts', 'src/main/jobs.ts'],
    rules: { 'no-restricted-syntax': ['error', environment] },
  },
  {
    files: [
      'src/config/environment.ts',
      'test/**/*.ts',
      'bench/**/*.ts',
      'emulators/main.ts',
      'simulator/*.ts',
    ],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
