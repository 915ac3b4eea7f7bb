/** What a reference names by its form alone. In a file of its own: what needs it needs no list of types. */
export interface NamedAddress {
  /** `Type/id`. */
  readonly name: string;
  /** Whether it is this server's for certain. */
  readonly here: boolean;
}

/**
 * What a reference names, whichever server it says: a deployment has several names, and a reader chooses by which one to ask. Undefined where it names no
 * record.
 */
export const addressOf = (reference: string): NamedAddress | undefined => {
  const [, server, name, rest] =
    /^(.*\/)?([A-Za-z]+\/[A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/?#]*)?([?#].*)?$/s.exec(reference) ?? [];
  return name === undefined ? undefined : { name, here: server === undefined && rest === undefined };
};

/** All that something refers to, contained resources included, and every Binary that an attachment names by its address. */
export const addressesIn = (element: unknown): NamedAddress[] =>
  typeof element !== 'object' || element === null
    ? []
    : Object.entries(element).flatMap(([key, value]: [string, unknown]) => {
        if (typeof value !== 'string') return addressesIn(value);
        const address = key === 'reference' || key === 'url' ? addressOf(value) : undefined;
        return address && (key === 'reference' || address.name.startsWith('Binary/')) ? [address] : [];
      });
