/** A person, by `(iss, sub)` of a token. */
export interface PersonPrincipal {
  kind: 'person';
  /** `personId(iss, sub)`. */
  id: string;
  /** For display only; never an identity. */
  email: string | null;
  /** Milliseconds since 1970: when the token ends, and with it every open subscription. */
  expiresAt: number;
}

/** A program, by an API key of a tenant. It may do what whoever made the key may do there, and of that what the key names. */
export interface KeyPrincipal {
  kind: 'key';
  /** `key_...` */
  id: string;
  email: null;
  /** Milliseconds since 1970: when the key ends, and with it every open subscription. */
  expiresAt: number;
  tenantId: string;
  /** The person whose rights the key has a part of. */
  createdBy: string;
  /** Null: it may send any document. Else these alone, each `sha256:` and 64 hexadecimal digits, of the exact text. */
  documents: readonly string[] | null;
}

/** Who asks. Devices are principals of the gateway alone. */
export type Principal = PersonPrincipal | KeyPrincipal;
