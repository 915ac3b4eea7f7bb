import type { Resource } from '../../fhir/resource.ts';
import { foldText } from '../fold.ts';
import type { TextSearch } from '../search-query.ts';
import { answersText } from '../text-query.ts';

/** Whether the narrative, or all texts of a record, answer a search for words. https://hl7.org/fhir/R4/search.html#text */
export const matchesWords = ({ of, query }: TextSearch, resource: Resource): boolean => {
  const texts: string[] = [];
  collect(of === 'narrative' ? { text: resource['text'] } : resource, texts);
  // words of one text do not go on in the next
  return answersText(query, texts.map(foldText).join(' \n '));
};

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** The words of a narrative's XHTML. */
const plainText = (div: string): string =>
  div
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) => {
      const code = decimal === undefined ? Number.parseInt(String(hex), 16) : Number(decimal);
      if (Number.isNaN(code)) return entities[String(name)] ?? whole;
      return code <= 0x10_ff_ff ? String.fromCodePoint(code) : ' ';
    });

/** Elements whose texts are no words: structure and images. */
const wordless: ReadonlySet<string> = new Set(['resourceType', 'data']);

const collect = (value: unknown, texts: string[]): void => {
  if (typeof value === 'string') texts.push(value);
  else if (typeof value === 'number') texts.push(String(value));
  else if (Array.isArray(value)) for (const item of value) collect(item, texts);
  else if (typeof value === 'object' && value !== null) {
    const { div } = value as Partial<fhir4.Narrative>;
    if (typeof div === 'string') texts.push(plainText(div));
    else for (const [name, member] of Object.entries(value)) if (!wordless.has(name)) collect(member, texts);
  }
};
