/** Cuts without leaving half a surrogate pair behind. */
export function cut(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const last = text.charCodeAt(characters - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? characters - 1 : characters);
}

/** A value as JSON for a message or a dead letter, cut; never throws, whatever a device nested. */
export function excerptOf(value: unknown, characters: number): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return cut(JSON.stringify(cut(value, characters)), characters);
  try {
    return cut(JSON.stringify(value) ?? String(value), characters);
  } catch {
    // JSON.parse takes any depth, JSON.stringify is bounded by the stack.
    return Array.isArray(value) ? '[…nested too deeply…]' : '{…nested too deeply…}';
  }
}
