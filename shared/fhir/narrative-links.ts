import { decoded } from './xhtml.ts';

const linking = /<(?:a|img)(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*\/?>/g;
/** Whole attributes: what looks like one may stand within the value of another. */
const attribute = /(\s([\w:.-]+)\s*=\s*)(?:"([^"]*)"|'([^']*)')/g;

/** A text as the value of an attribute in double quotes. */
const encoded = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/**
 * A narrative whose links (`<a href>`, `<img src>`) say what `rewrite` gives for them; those stay that it gives nothing for. Linear in the length of
 * the text, which need not be checked yet. https://hl7.org/fhir/R4/narrative.html
 */
export const rewriteNarrative = (div: string, rewrite: (link: string) => string | undefined): string =>
  div.replace(linking, (tag) =>
    tag.replace(
      attribute,
      (whole, before: string, name: string, double: string | undefined, single: string | undefined) => {
        const link = name === 'href' || name === 'src' ? decoded(double ?? single ?? '') : undefined;
        const text = link === undefined ? undefined : rewrite(link);
        return text === undefined ? whole : `${before}"${encoded(text)}"`;
      },
    ),
  );
