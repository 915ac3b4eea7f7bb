import { decoded } from './xhtml.ts';

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

/** Elements whose value may be the address of a record: references, attachments, and what extensions say. */
export const addressElements = ['reference', 'url', 'valueUri', 'valueUrl', 'valueCanonical'] as const;

const link = /\s(?:href|src)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** Records that a narrative links to. https://hl7.org/fhir/R4/narrative.html */
export const linkedIn = (div: string): NamedAddress[] =>
  [...div.matchAll(link)].flatMap(([, double, single]) => {
    const text = decoded(double ?? single ?? '');
    return (text === undefined ? undefined : addressOf(text)) ?? [];
  });

/** All that something refers to, contained resources and links of narratives included. */
export const addressesIn = (element: unknown): NamedAddress[] =>
  typeof element !== 'object' || element === null
    ? []
    : Object.entries(element).flatMap(([key, value]: [string, unknown]) => {
        if (typeof value !== 'string') return addressesIn(value);
        if (key === 'div') return linkedIn(value);
        return (addressElements.some((each) => each === key) ? addressOf(value) : undefined) ?? [];
      });
