/** What may not be found any more. */
export interface WantedIds {
  tenantId: string;
  /** Every tenant there is: one whose id begins with this one's is another. */
  otherTenants: readonly string[];
  /** Buildings, devices, points and so on: kind, `_`, and what follows. */
  ids: ReadonlySet<string>;
}

/** Finds ids in text, whatever it is the text of. */
export interface Mentions {
  /** The first id that the text names, or undefined. */
  in(text: string): string | undefined;
  /** The text with every such id replaced. */
  redacted(text: string): string;
}

/** What stands where an erased id stood in what is another's. */
export const REDACTED = 'erased';

/** As long as ids are: whatever is joined to one behind it is none of it. */
const ID_LENGTH = 26;
const IDS = /(?:bld|spc|pnt|dev|job|grp|trf|alr|alt|whk|whd|exp|inv|key)_[A-Za-z0-9_-]+/g;

export function createMentions({ tenantId, otherTenants, ids }: WantedIds): Mentions {
  const longer = otherTenants.filter((each) => each.length > tenantId.length && each.startsWith(tenantId));
  const isLetter = (character: string | undefined): boolean =>
    character !== undefined && /[A-Za-z0-9]/.test(character);

  /** Where the tenant's id next stands, as itself and not as a part of another's. */
  const nextTenant = (text: string, from: number): number => {
    for (let at = text.indexOf(tenantId, from); at >= 0; at = text.indexOf(tenantId, at + 1)) {
      if (isLetter(text[at - 1]) || isLetter(text[at + tenantId.length])) continue;
      if (longer.some((each) => text.startsWith(each, at) && !isLetter(text[at + each.length]))) continue;
      return at;
    }
    return -1;
  };
  const idIn = (token: string): string | undefined => {
    if (ids.has(token)) return token;
    const short = token.slice(0, ID_LENGTH);
    return ids.has(short) ? short : undefined;
  };

  return {
    in(text) {
      if (nextTenant(text, 0) >= 0) return tenantId;
      if (ids.size === 0) return undefined;
      for (const [token] of text.matchAll(IDS)) {
        const found = idIn(token);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    redacted(text) {
      let clean = '';
      let from = 0;
      for (let at = nextTenant(text, 0); at >= 0; at = nextTenant(text, from)) {
        clean += text.slice(from, at) + REDACTED;
        from = at + tenantId.length;
      }
      clean += text.slice(from);
      return clean.replace(IDS, (token) => {
        const found = idIn(token);
        return found === undefined ? token : REDACTED + token.slice(found.length);
      });
    },
  };
}
