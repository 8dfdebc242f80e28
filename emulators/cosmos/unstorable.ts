/** What a text must hold for its JSON to hold a number that is too large, or half of a surrogate pair. */
const SUSPICIOUS = /\d[eE]\+?\d{3}|\d{200}|\\u[dD][89a-fA-F]/;

/**
 * What a JSON text says that cannot be kept as it is: a number beyond a double's range, which would become null, or
 * half a surrogate pair, which UTF-8 does not have. Nearly every text is cleared by one look, without its value.
 */
export function unstorable(text: string, value: unknown): string | undefined {
  return SUSPICIOUS.test(text) ? problemOf(value) : undefined;
}

function problemOf(value: unknown): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return 'The request body holds a number beyond the range of a double.';
  }
  if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) {
    return 'The request body holds half of a surrogate pair, which is not Unicode text.';
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, each] of Object.entries(value)) {
    const problem = problemOf(name) ?? problemOf(each);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
