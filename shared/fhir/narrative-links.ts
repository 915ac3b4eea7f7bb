import { decoded } from './xhtml.ts';

const linking = /<(?:a|img)(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*\/?>/g;
const address = /(\s(?:href|src)\s*=\s*)(?:"([^"]*)"|'([^']*)')/g;

/** A text as the value of an attribute in double quotes. */
const encoded = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/**
 * A narrative whose links (`<a href>`, `<img src>`) say what `rewrite` gives for them; those stay that it gives nothing for. Linear in the length of
 * the text, which need not be checked yet. https://hl7.org/fhir/R4/narrative.html
 */
export const rewriteNarrative = (div: string, rewrite: (link: string) => string | undefined): string =>
  div.replace(linking, (tag) =>
    tag.replace(address, (whole, before: string, double: string | undefined, single: string | undefined) => {
      const link = decoded(double ?? single ?? '');
      const text = link === undefined ? undefined : rewrite(link);
      return text === undefined ? whole : `${before}"${encoded(text)}"`;
    }),
  );
