// The primitive datatypes of R4. https://hl7.org/fhir/R4/datatypes.html#primitive
import type { Broken, PrimitiveSchema, Rule } from './primitive-schema.ts';
import { primitive } from './primitive-schema.ts';
import { xhtmlProblem } from './xhtml.ts';

const value = (message: string): Broken => ({ code: 'value', message });

const notString = value('must be a string');
const empty = value('must not be empty');
const onlySpace = value('must not consist of white space alone');
const tooLong: Broken = { code: 'too-long', message: 'must not be longer than 1,048,576 characters' };
const controlCharacter = value('must not contain control characters other than tab, line feed and carriage return');

/** Strings of more are refused: https://hl7.org/fhir/R4/datatypes.html#string */
const maxLength = 1024 * 1024;

// oxlint-disable-next-line no-control-regex -- these are what FHIR forbids
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

const stringRule: Rule = (text) => {
  if (typeof text !== 'string') return notString;
  if (text.length === 0) return empty;
  if (text.length > maxLength) return tooLong;
  if (!/\S/.test(text)) return onlySpace;
  return control.test(text) ? controlCharacter : undefined;
};

/** A rule for strings of one pattern, and optionally a further condition. */
const matching = (pattern: RegExp, message: string, isSound: (text: string) => boolean = () => true): Rule => {
  const broken = value(message);
  return (text) => {
    if (typeof text !== 'string') return notString;
    if (text.length === 0) return empty;
    if (text.length > maxLength) return tooLong;
    return pattern.test(text) && isSound(text) ? undefined : broken;
  };
};

/** A rule for numbers. */
const number = (message: string, isSound: (number: number) => boolean): Rule => {
  const broken = value(message);
  return (number) => (typeof number === 'number' && isSound(number) ? undefined : broken);
};

const daysIn = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether the date that a text of the right pattern begins with is in the calendar. */
const isInCalendar = (text: string): boolean => {
  if (text.length < 10) return true;
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const day = Number(text.slice(8, 10));
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (daysIn[month - 1] ?? 0) && (month !== 2 || day < 29 || isLeap);
};

const year = '(?!0000)\\d{4}';
const month = '(?:0[1-9]|1[0-2])';
const day = '(?:0[1-9]|[12]\\d|3[01])';
// a leap second is legal: https://hl7.org/fhir/R4/datatypes.html#time
const timeOfDay = '(?:[01]\\d|2[0-3]):[0-5]\\d:(?:[0-5]\\d|60)(?:\\.\\d+)?';
const zone = '(?:Z|[+-](?:(?:0\\d|1[0-3]):[0-5]\\d|14:00))';

const datePattern = new RegExp(`^${year}(?:-${month}(?:-${day})?)?$`);
const dateTimePattern = new RegExp(`^${year}(?:-${month}(?:-${day}(?:T${timeOfDay}${zone})?)?)?$`);
const instantPattern = new RegExp(`^${year}-${month}-${day}T${timeOfDay}${zone}$`);
const timePattern = new RegExp(`^${timeOfDay}$`);

const urnUuid = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const urnOid = /^urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+$/;

/** A URI that says that it is a UUID or OID must be one; upper case is no fault there. */
const isSoundUrn = (uri: string): boolean =>
  uri.startsWith('urn:uuid:') ? urnUuid.test(uri.toLowerCase()) : !uri.startsWith('urn:oid:') || urnOid.test(uri);

const uriRule = matching(/^\S+$/, 'must be a URI, without white space; urn:uuid: and urn:oid: well-formed', isSoundUrn);

/** Characters are counted without white space, which may break the lines. Linear in time, whatever the text. */
const isBase64 = (text: string): boolean => {
  const dense = /\s/.test(text) ? text.replace(/\s+/g, '') : text;
  return dense.length > 0 && dense.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(dense);
};

const isWithin = (low: number, high: number) => (number: number) =>
  Number.isInteger(number) && number >= low && number <= high;

const int32 = 2 ** 31 - 1;

export const boolean = /* @__PURE__ */ primitive<boolean>((flag) =>
  typeof flag === 'boolean' ? undefined : value('must be true or false'),
);

export const string = /* @__PURE__ */ primitive<string>(stringRule);

export const markdown = /* @__PURE__ */ primitive<string>(stringRule);

export const code = /* @__PURE__ */ primitive<string>(
  matching(/^\S+(?:\s\S+)*$/, 'must be a code: no white space but single spaces inside'),
);

export const id = /* @__PURE__ */ primitive<string>(
  matching(/^[A-Za-z0-9\-.]{1,64}$/, 'must be an id: 1 to 64 letters, digits, hyphens and dots'),
);

export const uri = /* @__PURE__ */ primitive<string>(uriRule);

export const url = /* @__PURE__ */ primitive<string>(uriRule);

export const canonical = /* @__PURE__ */ primitive<string>(uriRule);

export const oid = /* @__PURE__ */ primitive<string>(matching(urnOid, 'must be an OID: urn:oid:1.2.3'));

export const uuid = /* @__PURE__ */ primitive<string>(
  matching(urnUuid, 'must be a UUID: urn:uuid: and lower-case digits'),
);

export const base64Binary = /* @__PURE__ */ primitive<string>((text) => {
  if (typeof text !== 'string') return notString;
  // may be longer than a string: it is limited by the size of a request alone
  return isBase64(text) ? undefined : value('must be base64');
});

export const integer = /* @__PURE__ */ primitive<number>(
  number('must be an integer of 32 bits', isWithin(-int32 - 1, int32)),
);

export const positiveInt = /* @__PURE__ */ primitive<number>(
  number('must be an integer from 1 to 2,147,483,647', isWithin(1, int32)),
);

export const unsignedInt = /* @__PURE__ */ primitive<number>(
  number('must be an integer from 0 to 2,147,483,647', isWithin(0, int32)),
);

// a JSON number beyond the range of a double arrives as infinity
export const decimal = /* @__PURE__ */ primitive<number>(number('must be a decimal number', Number.isFinite));

export const date = /* @__PURE__ */ primitive<string>(
  matching(datePattern, 'must be a date: YYYY, YYYY-MM or YYYY-MM-DD', isInCalendar),
);

export const dateTime = /* @__PURE__ */ primitive<string>(
  matching(
    dateTimePattern,
    'must be a dateTime: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with Z or an offset',
    isInCalendar,
  ),
);

export const instant = /* @__PURE__ */ primitive<string>(
  matching(instantPattern, 'must be an instant: YYYY-MM-DDThh:mm:ss with Z or an offset', isInCalendar),
);

export const time = /* @__PURE__ */ primitive<string>(matching(timePattern, 'must be a time: hh:mm:ss'));

/** https://hl7.org/fhir/R4/narrative.html */
export const xhtml = /* @__PURE__ */ primitive<string>((text) => {
  if (typeof text !== 'string') return notString;
  const problem = xhtmlProblem(text);
  return problem === undefined ? undefined : value(problem);
});

/** Id of an element within a resource. https://hl7.org/fhir/R4/element.html */
export const elementId = /* @__PURE__ */ primitive<string>(
  matching(/^\S+$/, 'must be the id of an element, without white space'),
);

// FHIR's own examples name formats by `json` and `xml` too: https://hl7.org/fhir/R4/valueset-mimetypes.html
/** Required binding to a value set that no list holds. */
export const mimeType = /* @__PURE__ */ primitive<string>(
  matching(/^(?:json|xml|ttl|[^\s/;]+\/[^\s/;]+(?:\s?;\s?[^\s;]+)*)$/, 'must be a MIME type'),
);

/** Required binding to ISO 4217. https://hl7.org/fhir/R4/valueset-currencies.html */
export const currency = /* @__PURE__ */ primitive<string>(matching(/^[A-Z]{3}$/, 'must be a currency of ISO 4217'));

/** A message lists so many codes; of larger sets it gives the address. */
const listed = 24;

/**
 * A code of a value set that is bound as required. https://hl7.org/fhir/R4/terminologies.html#required
 *
 * @param valueSet - its canonical address.
 */
export const codeOf = (valueSet: string, codes: readonly string[]): PrimitiveSchema<string> => {
  const known: ReadonlySet<unknown> = new Set(codes);
  const broken: Broken = {
    code: 'code-invalid',
    message: `must be ${codes.length <= listed ? `one of: ${codes.join(', ')}` : `a code of ${valueSet}`}`,
  };
  return primitive((code) => {
    if (known.has(code)) return undefined;
    return typeof code === 'string' ? broken : notString;
  });
};
