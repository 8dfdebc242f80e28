import fc from 'fast-check';

/**
 * Set up before every test file: random data is the same in each run, so that what is green stays green until something
 * changes. `npm run fuzz -- properties` looks further, with other data each round; it names the seed with which
 * `TEST_SEED` shows again what it found.
 */
fc.configureGlobal({ seed: Number(process.env['TEST_SEED'] ?? 20_260_301) });
