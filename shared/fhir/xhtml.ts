// A strict scanner for Narrative.div. It refuses what it does not know, so that an application may show a narrative as it is.
// https://hl7.org/fhir/R4/narrative.html

const namespace = 'http://www.w3.org/1999/xhtml';

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

// txt-1: chapters 7 to 11 (but 9.4) and 15 of HTML 4.0, links and images, as listed in the definition of Narrative.div,
// with the few elements of those chapters that the list forgets
const elements = words(
  'a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 ' +
    'hr i img kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var',
);

const attributes = words(
  'abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset cite class ' +
    'colspan compact coords dir frame headers height href hreflang hspace id ismap lang longdesc name nohref noshade nowrap ' +
    'rel rev rowspan rules scope shape span src start style summary tabindex title type usemap valign value vspace width ' +
    'xml:lang',
);

const addresses = words('cite href longdesc src usemap');

/** `&amp;` and the other entities of XML: HTML's own, such as `&nbsp;`, are not allowed. */
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const messages = {
  element: 'must have only the elements that a narrative allows (txt-1)',
  attribute: 'must have only the attributes that a narrative allows, no event handlers (txt-1)',
  address:
    'must refer only to http, https, ftp, mailto, tel, urn, relative and image addresses, not to scripts (txt-1)',
  style: 'must have only plain styles, which load and run nothing (txt-1)',
  wellFormed: 'must be well-formed XHTML',
  root: 'must be one div element',
  namespace: 'must be in the namespace of XHTML alone',
  content: 'must have some content that is not white space (txt-2)',
} as const;

/** Whether a character may stand in XML 1.0. https://www.w3.org/TR/xml/#charsets */
const isXmlCharacter = (codePoint: number): boolean =>
  codePoint === 0x9 ||
  codePoint === 0xa ||
  codePoint === 0xd ||
  (codePoint >= 0x20 && codePoint <= 0xd7ff) ||
  (codePoint >= 0xe000 && codePoint <= 0xfffd) ||
  (codePoint >= 0x10000 && codePoint <= 0x10ffff);

const codePointOf = (reference: string): number =>
  reference.startsWith('#x') ? Number.parseInt(reference.slice(2), 16) : Number.parseInt(reference.slice(1), 10);

/** The text with its entities replaced; undefined if it has one that is not allowed, or a stray `&`. */
export const decoded = (text: string): string | undefined => {
  if (!text.includes('&')) return text;
  let isSound = true;
  const plain = text.replace(
    /&(?:(#x[0-9A-Fa-f]{1,6}|#[0-9]{1,7}|[a-z]{2,4});)?/g,
    (_, reference: string | undefined) => {
      if (reference?.startsWith('#') && isXmlCharacter(codePointOf(reference))) {
        return String.fromCodePoint(codePointOf(reference));
      }
      const character = reference === undefined ? undefined : entities[reference];
      if (character === undefined) isSound = false;
      return character ?? '';
    },
  );
  return isSound ? plain : undefined;
};

/** Whether an address loads and runs nothing. Browsers ignore white space and control characters in the scheme. */
const isSafeAddress = (address: string): boolean => {
  // oxlint-disable-next-line no-control-regex -- these are what browsers ignore
  const bare = address.replace(/[\u0000-\u0020\u007f-\u00a0\u2028\u2029]/g, '').toLowerCase();
  const scheme = /^([^/?#:]*):/.exec(bare)?.[1];
  if (scheme === undefined || ['http', 'https', 'ftp', 'mailto', 'tel', 'urn'].includes(scheme)) return true;
  return /^data:image\/(?:png|gif|jpe?g|bmp|webp);base64,/.test(bare);
};

const styleAddress = /url\(\s*(?:"([^"]*)"|'([^']*)'|([^"'()]*))\s*\)/gi;

/** Plain declarations and images: no import, no script, and nothing (escapes, comments) that could hide one. */
const isSafeStyle = (style: string): boolean => {
  const withoutAddresses = style.replace(styleAddress, (_, double?: string, single?: string, bare?: string) =>
    isSafeAddress(double ?? single ?? bare ?? '') ? 'image' : '@',
  );
  return !/[\\<@]|\/\*|url\s*\(|image-set\s*\(|expression\s*\(|script\s*:|behaviou?r\s*:|-moz-binding/i.test(
    withoutAddresses,
  );
};

// Each matches at its lastIndex alone, and none can be made to look back far: the scan takes linear time.
const openingPattern = /<([A-Za-z][A-Za-z0-9]*)/y;
const attributePattern = /\s+([A-Za-z_:][-A-Za-z0-9_:.]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const openingEndPattern = /\s*(\/?)>/y;
const closingPattern = /<\/([A-Za-z][A-Za-z0-9]*)\s*>/y;

const matchAt = (pattern: RegExp, text: string, position: number): RegExpExecArray | null => {
  pattern.lastIndex = position;
  return pattern.exec(text);
};

/** Where the comment at a position ends; undefined if it has no end, or one that a browser would see elsewhere. */
const commentEnd = (text: string, position: number): number | undefined => {
  const start = position + '<!--'.length;
  const end = text.indexOf('--', start);
  const isSound = end >= 0 && text.startsWith('-->', end) && !/^-?>/.test(text.slice(start, start + 2));
  return isSound ? end + '-->'.length : undefined;
};

const attributeProblem = (name: string, value: string): string | undefined => {
  if (name === 'xmlns') return value === namespace ? undefined : messages.namespace;
  if (!attributes.has(name)) return messages.attribute;
  if (addresses.has(name) && !isSafeAddress(value)) return messages.address;
  if (name === 'style' && !isSafeStyle(value)) return messages.style;
  return undefined;
};

interface OpeningTag {
  readonly name: string;
  readonly end: number;
  readonly isEmpty: boolean;
  readonly hasSource: boolean;
}

/** Reads the opening tag at a position, or says what is wrong with it. */
const readOpeningTag = (text: string, position: number): OpeningTag | string => {
  const opening = matchAt(openingPattern, text, position);
  if (opening === null) return messages.wellFormed;
  const [start, name = ''] = opening;
  if (!elements.has(name)) return messages.element;
  let end = position + start.length;
  const seen = new Set<string>();
  for (let match = matchAt(attributePattern, text, end); match !== null; match = matchAt(attributePattern, text, end)) {
    const [whole, attribute = '', doubleQuoted, singleQuoted = ''] = match;
    const value = decoded(doubleQuoted ?? singleQuoted);
    if (value === undefined || seen.has(attribute)) return messages.wellFormed;
    const problem = attributeProblem(attribute, value);
    if (problem !== undefined) return problem;
    seen.add(attribute);
    end += whole.length;
  }
  const close = matchAt(openingEndPattern, text, end);
  if (close === null) return messages.wellFormed;
  return { name, end: end + close[0].length, isEmpty: close[1] === '/', hasSource: seen.has('src') };
};

// oxlint-disable-next-line no-control-regex -- these are what XML forbids
const notXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/**
 * What is wrong with the content of a Narrative, or undefined. Linear in the length of the text.
 *
 * It must be one well-formed `div` of XHTML with some content, of the elements and attributes that txt-1 allows, without
 * scripts, event handlers, and addresses or styles that run or load active content. Images may come from elsewhere.
 */
export const xhtmlProblem = (text: string): string | undefined => {
  if (notXml.test(text) || !text.isWellFormed()) return messages.wellFormed;
  const content = text.trim(); // white space around the div is of no consequence
  if (!content.startsWith('<div')) return messages.root;
  const open: string[] = [];
  let hasContent = false;
  let position = 0;
  while (position < content.length) {
    if (position > 0 && open.length === 0) return messages.root;
    if (content.charAt(position) !== '<') {
      const next = content.indexOf('<', position);
      const characters = next < 0 ? undefined : decoded(content.slice(position, next));
      if (characters === undefined || characters.includes(']]>')) return messages.wellFormed;
      hasContent ||= /\S/.test(characters);
      position = next;
    } else if (content.startsWith('<!--', position)) {
      const end = commentEnd(content, position);
      if (end === undefined) return messages.wellFormed;
      position = end;
    } else if (content.startsWith('</', position)) {
      const closing = matchAt(closingPattern, content, position);
      if (closing === null || open.pop() !== closing[1]) return messages.wellFormed;
      position += closing[0].length;
    } else {
      const tag = readOpeningTag(content, position);
      if (typeof tag === 'string') return tag;
      hasContent ||= tag.name === 'img' && tag.hasSource;
      if (!tag.isEmpty) open.push(tag.name);
      position = tag.end;
    }
  }
  if (open.length > 0) return messages.wellFormed;
  return hasContent ? undefined : messages.content;
};
