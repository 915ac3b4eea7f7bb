/** The separators of a message, as its MSH-1 and MSH-2 name them. */
export interface Separators {
  readonly field: string;
  readonly component: string;
  readonly repetition: string;
  readonly escape: string;
  readonly subcomponent: string;
}

/**
 * Text as it is meant. Separators come as `\F\`, `\S\`, `\T\`, `\R\` and `\E\`, the truncation sign of 2.7 as `\P\`; `\.br\` and `\.sp\` are a line's end, other formatting and highlighting are
 * dropped, and bytes in `\Xdd..\` are taken for UTF-8. What begins no known sequence stays as it was sent, so that nothing is lost.
 *
 * @see HL7 2.5.1, chapter 2, section 2.7, "Use of escape sequences in text fields"
 */
export const unescaped = (text: string, { field, component, repetition, escape, subcomponent }: Separators): string => {
  if (escape === '' || !text.includes(escape)) return text;
  const plain: Readonly<Record<string, string>> = {
    F: field,
    S: component,
    T: subcomponent,
    R: repetition,
    E: escape,
    P: '#',
    H: '',
    N: '',
    '.br': '\n',
    '.sp': '\n',
  };
  let meant = '';
  for (let at = 0; at < text.length; ) {
    const begin = text.indexOf(escape, at);
    const end = begin < 0 ? -1 : text.indexOf(escape, begin + 1);
    if (end < 0) return meant + text.slice(at);
    const sequence = text.slice(begin + 1, end);
    const known =
      plain[sequence] ?? bytesOf(sequence) ?? (/^\.(?:sp|in|ti|sk|fi|nf|ce)[+-]?\d*$/.test(sequence) ? ' ' : undefined);
    meant += text.slice(at, begin) + (known ?? escape + sequence);
    // The sign behind what is no sequence may begin one.
    at = known === undefined ? end : end + 1;
  }
  return meant;
};

const bytesOf = (sequence: string): string | undefined => {
  if (!/^X(?:[0-9A-Fa-f]{2})+$/.test(sequence)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(sequence.slice(1), 'hex'));
  } catch {
    return undefined;
  }
};

/** Text to be sent in a field. */
export const escaped = (text: string): string =>
  text
    .replace(/[|^~\\&]/g, (sign) => `\\${{ '|': 'F', '^': 'S', '~': 'R', '\\': 'E', '&': 'T' }[sign]}\\`)
    .replace(/[\r\n]+/g, '\\.br\\');
