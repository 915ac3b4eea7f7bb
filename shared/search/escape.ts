// https://hl7.org/fhir/R4/search.html#escaping

/** Parts of a value between the separators that no backslash stands before; the parts keep their escapes. */
export const splitValue = (text: string, separator: ',' | '|' | '$'): string[] => {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === separator) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
};

/** Takes the escapes out of one part; undefined if a backslash stands before anything but `,` `|` `$` and `\`. */
export const unescapeValue = (text: string): string | undefined =>
  text.replace(/\\[,|$\\]/g, '').includes('\\') ? undefined : text.replace(/\\([,|$\\])/g, '$1');

/** Writes a text so that it is read back as one part. */
export const escapeValue = (text: string): string => text.replace(/[,|$\\]/g, '\\$&');
