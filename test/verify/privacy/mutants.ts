import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A rule that is taken away: in which file (of `dist`, without its extension), and what stands where it stood. */
interface Mutant {
  name: string;
  file: string;
  from: RegExp;
  to: string;
}

export const MUTANTS: readonly Mutant[] = [
  { name: 'the rule of readings', file: 'auth/scope', from: /return !reveals \|\|/, to: 'return true ||' },
  {
    name: 'what the owner says',
    file: 'domain/presence',
    from: /if \(choices === undefined/,
    to: 'if (true || choices === undefined',
  },
  {
    name: 'positions that are not told',
    file: 'resolvers/average/sight',
    from: /if \(!\(0, _presence\.seesAllPresence\)/,
    to: 'if (false && !(0, _presence.seesAllPresence)',
  },
  {
    name: 'traces of devices',
    file: 'store/registry/traces',
    from: /if \(owners\.length > 0 && /,
    to: 'if (true || ',
  },
  {
    name: 'numbers of alerts',
    file: 'resolvers/alert/alert-updates',
    from: /const number = \(0, _alertaccess\.seesAllAlerts\)\([\s\S]*?\}\) \?/,
    to: 'const number = true ?',
  },
  {
    name: 'who sees which alert',
    file: 'auth/alert-access',
    from: /presence \? 'alert.read-presence' : 'alert.read'/,
    to: "'device.read'",
  },
  {
    name: 'steps of when devices were heard',
    file: 'domain/last-seen',
    from: /isWell \? now : at/,
    to: 'at',
  },
];

/** From now on the file is loaded without the rule. Throws where there is no such mutant, or the rule is not found. */
export function applyMutant(name: string): void {
  const mutant = MUTANTS.find((each) => each.name === name);
  if (mutant === undefined) throw new Error(`there is no mutant '${name}'`);
  const ending = `/src/${mutant.file}.js`;
  registerHooks({
    load(url, context, nextLoad) {
      if (!url.endsWith(ending)) return nextLoad(url, context);
      const source = readFileSync(fileURLToPath(url), 'utf8');
      if (!mutant.from.test(source)) throw new Error(`${ending} has no place for the mutant '${name}'`);
      return { format: 'commonjs', source: source.replace(mutant.from, mutant.to), shortCircuit: true };
    },
  });
}
