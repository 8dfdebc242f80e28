const { default: Sequencer } = require('@jest/test-sequencer');

/** The longest tests, longest first: what runs last alone would be waited for by all the other workers. */
const FIRST = [
  'verify/short-forms-crash',
  'verify/short-forms.test',
  'store/saga',
  'verify/short-forms-cold',
  'ingest/ingest',
  'e2e/platform',
  'aggregate/crash',
  'store/lifecycle-walk',
  'isolation/isolation',
  'aggregate/alerts/alert-crash',
  'store/jobs-crash',
  'gateway/mqtt.test',
];

/** Jest's own order, by what is known of earlier runs or else by size, behind those that are known to be long. */
module.exports = class SlowestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => {
      const found = FIRST.findIndex((each) => path.includes(`/test/${each}`));
      return found < 0 ? FIRST.length : found;
    };
    return [...super.sort(tests)].sort((a, b) => place(a) - place(b));
  }
};
