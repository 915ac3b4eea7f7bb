import { createHash } from 'node:crypto';
import type { Field, Message, Repetition, Segment } from './message.ts';
import type { NumberOf, Sender } from './sender.ts';
import { dateTimeIn, instantOf } from './times.ts';
import type { Cell, Told } from './told.ts';
import { Unfit } from './unfit.ts';

/** What tables of mapping need to know beside a field. */
export interface Reading {
  readonly message: Message;
  readonly sender: Sender;
  /** `A01` … */
  readonly event: string;
  /** When what the message tells of happened: EVN-6, else when it was recorded: EVN-2, else when it was sent: MSH-7. FHIR's `dateTime`. */
  readonly happened: string;
}

/** One row of a table of mapping. Docs repeat the tables, and a test holds them together. */
export interface Row {
  /** Field, such as `PID-7`; with a part of it, where only that counts. */
  readonly from: string;
  /** Element, such as `birthDate`; `deceased[x]`, `period.start`. */
  readonly to: string;
  /** In words, for people. */
  readonly how: string;
  /** Parts of the list that the field tells of even if it is null. */
  readonly parts?: readonly string[];
  /** The value; undefined if the field says nothing of the element. */
  readonly value: (field: Field, reading: Reading, group: Group) => unknown;
  /** Whether the field is read even if it is empty. */
  readonly always?: true;
}

/** Segments that tell of one record together, the first of each name. */
export interface Group {
  readonly segments: readonly Segment[];
  readonly first: (name: string) => Segment | undefined;
  readonly all: (name: string) => readonly Segment[];
}

export const groupOf = (segments: readonly Segment[]): Group => ({
  segments,
  first: (name) => segments.find((segment) => segment.name === name),
  all: (name) => segments.filter((segment) => segment.name === name),
});

/**
 * What segments say of a record, by a table. Of two rows for one element the first that says something counts.
 *
 * @param partOf - which part of a list an entry is, for the elements that have parts.
 * @throws Unfit for a field that is not of its type.
 */
export const cellsOf = (
  rows: readonly Row[],
  group: Group,
  reading: Reading,
  partOf: (element: string) => ((entry: unknown) => string) | undefined,
): Cell[] => {
  const cells = new Map<string, Cell>();
  const tell = (slot: string, value: unknown) => {
    if (!cells.has(slot)) cells.set(slot, { slot, value });
  };
  for (const row of rows) {
    const [, name = '', number = ''] = /^(\w{3})-(\d+)/.exec(row.from) ?? [];
    const field = group.first(name)?.field(Number(number));
    const said = field?.said ?? 'nothing';
    if (!field || (said === 'nothing' && !row.always)) continue;
    const value = said === 'removed' ? undefined : row.value(field, reading, group);
    if (said !== 'removed' && value === undefined) continue;
    const partition = partOf(row.to);
    if (!partition) {
      tell(row.to, value);
      continue;
    }
    const parts = Map.groupBy((value ?? []) as unknown[], partition);
    for (const part of new Set([...(row.parts ?? []), ...parts.keys()])) tell(`${row.to}#${part}`, parts.get(part));
  }
  return [...cells.values()];
};

/** A key of what has no number of its own: of what makes it the one that it is. */
export const keyMadeOf = (reading: Reading, what: string, ...facts: readonly string[]): Told['key'] => ({
  system: `https://concord.example/fhir/sid/hl7-v2-${what}`,
  value: createHash('sha256')
    .update(JSON.stringify([reading.sender.name, ...facts]))
    .digest('base64url')
    .slice(0, 32),
});

/** Requires that a field says something. */
export const requiredPart = (text: string, at: string): string => {
  if (text === '') throw new Unfit('field-missing', 'This field is required here', at);
  return text;
};

// Datatypes, as chapter 2A of HL7 2.5.1 has them.

/** URI of a system that an authority assigns by: as configured, else its object identifier. */
export const systemOfAuthority = (
  { sender }: Reading,
  repetition: Repetition,
  component: number,
): string | undefined => {
  const [name, id, type] = [1, 2, 3].map((part) => repetition.part(component, part));
  return (
    sender.authorities.get(name ?? '') ??
    sender.authorities.get(id ?? '') ??
    (type === 'ISO' && /^[0-2](?:\.\d+)+$/.test(id ?? '') ? `urn:oid:${id}` : undefined)
  );
};

const identifierTypes = 'http://terminology.hl7.org/CodeSystem/v2-0203';

/** CX → Identifier. */
export const identifierOf = (reading: Reading, repetition: Repetition): fhir4.Identifier => {
  const [authority, type] = [repetition.part(4), repetition.part(5)];
  const system = systemOfAuthority(reading, repetition, 4);
  const period = periodOf(reading, repetition, 7, 8);
  return {
    ...(type === '' ? {} : { type: { coding: [{ system: identifierTypes, code: type }] } }),
    ...(system === undefined ? {} : { system }),
    value: requiredPart(repetition.part(1), repetition.at),
    ...(period ? { period } : {}),
    ...(system === undefined && authority !== '' ? { assigner: { display: authority } } : {}),
  };
};

/** EI → Identifier, of a number whose authority may go without saying. */
export const numberOf = (reading: Reading, repetition: Repetition, of: NumberOf): fhir4.Identifier | undefined => {
  const value = repetition.part(1);
  if (value === '') return undefined;
  const [name, id, type] = [2, 3, 4].map((component) => repetition.part(component));
  const authority =
    reading.sender.authorities.get(name ?? '') ??
    reading.sender.authorities.get(id ?? '') ??
    (type === 'ISO' && /^[0-2](?:\.\d+)+$/.test(id ?? '') ? `urn:oid:${id}` : undefined);
  const system = authority ?? (name === '' && id === '' ? reading.sender.numbers.get(of) : undefined);
  return { ...(system === undefined ? {} : { system }), value };
};

const periodOf = (reading: Reading, repetition: Repetition, from: number, to: number): fhir4.Period | undefined => {
  const [start, end] = [from, to].map((component) => dateTimeIn(repetition, reading.sender.zone, component));
  return start === undefined && end === undefined
    ? undefined
    : { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
};

// https://terminology.hl7.org/CodeSystem-v2-0200.html
const nameUses: Readonly<Record<string, NonNullable<fhir4.HumanName['use']>>> = {
  L: 'official',
  D: 'usual',
  N: 'nickname',
  M: 'maiden',
  T: 'temp',
  TEMP: 'temp',
  BAD: 'old',
  A: 'anonymous',
  S: 'anonymous',
};

/** XPN → HumanName. */
export const nameOf = (reading: Reading, repetition: Repetition): fhir4.HumanName => {
  const texts = (...components: number[]) =>
    components.flatMap((component) => {
      const text = repetition.part(component);
      return text === '' ? [] : [text];
    });
  const use = nameUses[repetition.part(7)];
  const [family] = texts(1);
  // Further given names stand in one component, by blanks.
  const given = [...texts(2), ...texts(3).flatMap((text) => text.split(/\s+/))];
  const [prefix, suffix] = [texts(5), texts(4, 6, 14)];
  const period = periodOf(reading, repetition, 12, 13);
  return {
    ...(use ? { use } : {}),
    ...(family === undefined ? {} : { family }),
    ...(given.length > 0 ? { given } : {}),
    ...(prefix.length > 0 ? { prefix } : {}),
    ...(suffix.length > 0 ? { suffix } : {}),
    ...(period ? { period } : {}),
  };
};

// https://terminology.hl7.org/CodeSystem-v2-0190.html
const addressUses: Readonly<Record<string, fhir4.Address>> = {
  H: { use: 'home' },
  P: { use: 'home' },
  C: { use: 'temp' },
  B: { use: 'work' },
  O: { use: 'work' },
  M: { type: 'postal' },
  SH: { type: 'physical' },
  BA: { use: 'old' },
  BI: { use: 'billing' },
};

/** XAD → Address. */
export const addressOf = (_: Reading, repetition: Repetition): fhir4.Address => {
  const at = (component: number) => repetition.part(component);
  const line = [at(1), at(2)].filter((text) => text !== '');
  const told = { city: at(3), state: at(4), postalCode: at(5), country: at(6), district: at(9) };
  return {
    ...addressUses[at(7)],
    ...(line.length > 0 ? { line } : {}),
    ...Object.fromEntries(Object.entries(told).filter(([, text]) => text !== '')),
  };
};

// https://terminology.hl7.org/CodeSystem-v2-0202.html
const equipment: Readonly<Record<string, fhir4.ContactPoint>> = {
  PH: { system: 'phone' },
  CP: { system: 'phone', use: 'mobile' },
  SAT: { system: 'phone', use: 'mobile' },
  FX: { system: 'fax' },
  BP: { system: 'pager' },
  Internet: { system: 'email' },
  'X.400': { system: 'email' },
};

/** XTN → ContactPoint; undefined if it has no number or address. */
export const contactOf = (
  repetition: Repetition,
  usual: NonNullable<fhir4.ContactPoint['use']>,
): fhir4.ContactPoint | undefined => {
  const at = (component: number) => repetition.part(component);
  const kind =
    equipment[at(3)] ??
    (at(2) === 'NET' || (at(4) !== '' && at(12) === '' && at(7) === '') ? equipment['Internet'] : undefined);
  const country = at(5) === '' ? '' : `+${at(5).replace(/^\+/, '')}`;
  const number = [country, at(6), at(7)].filter((text) => text !== '').join(' ');
  const whole = kind?.system === 'email' ? at(4) || at(1) : at(12) || number || at(1);
  if (whole === '') return undefined;
  const extension = at(8) === '' ? '' : ` x${at(8)}`;
  const use = at(2) === 'WPN' || usual === 'work' ? 'work' : (kind?.use ?? usual);
  return { system: kind?.system ?? 'phone', value: `${whole}${extension}`, use };
};

/** Coding systems by the names of HL7's table 0396; a sender's own go before them. */
export const codeSystemNames: Readonly<Record<string, string>> = {
  LN: 'http://loinc.org',
  SCT: 'http://snomed.info/sct',
  SNM3: 'http://snomed.info/sct',
  I10: 'http://hl7.org/fhir/sid/icd-10',
  I10C: 'http://hl7.org/fhir/sid/icd-10-cm',
  ICD10CM: 'http://hl7.org/fhir/sid/icd-10-cm',
  I9: 'http://hl7.org/fhir/sid/icd-9-cm',
  I9CDX: 'http://hl7.org/fhir/sid/icd-9-cm',
  C4: 'http://www.ama-assn.org/go/cpt',
  CPT: 'http://www.ama-assn.org/go/cpt',
  CVX: 'http://hl7.org/fhir/sid/cvx',
  MVX: 'http://hl7.org/fhir/sid/mvx',
  NDC: 'http://hl7.org/fhir/sid/ndc',
  RXNORM: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  RXN: 'http://www.nlm.nih.gov/research/umls/rxnorm',
  UCUM: 'http://unitsofmeasure.org',
  ISO639: 'urn:ietf:bcp:47',
};

/** URI of a coding system; of HL7's own tables by their number. */
export const systemNamed = ({ sender }: Reading, name: string): string | undefined => {
  const table = /^HL7(\d{4})$/.exec(name)?.[1];
  return (
    sender.codeSystems.get(name) ??
    codeSystemNames[name] ??
    (table === undefined ? undefined : `http://terminology.hl7.org/CodeSystem/v2-${table}`)
  );
};

/** CE, CWE, CNE → CodeableConcept; undefined if it is empty. What is coded by a system that nobody has named keeps code and display as text. */
export const conceptOf = (reading: Reading, repetition: Repetition): fhir4.CodeableConcept | undefined => {
  const coding = [1, 4].flatMap((from): fhir4.Coding[] => {
    const [code, display, name] = [from, from + 1, from + 2].map((component) => repetition.part(component));
    const system = systemNamed(reading, name ?? '');
    if (code === undefined || code === '' || system === undefined) return [];
    return [{ system, code, ...(display ? { display } : {}) }];
  });
  const text = repetition.part(9) || repetition.part(2) || (coding.length === 0 ? repetition.part(1) : '');
  if (coding.length === 0 && text === '') return undefined;
  return { ...(coding.length > 0 ? { coding } : {}), ...(text === '' ? {} : { text }) };
};

/** A code by HL7's table of a number, whatever system the sender names. */
export const tableConcept = (repetition: Repetition, table: string): fhir4.CodeableConcept | undefined => {
  const code = repetition.part(1);
  if (code === '') return undefined;
  const text = repetition.part(2);
  return {
    coding: [{ system: `http://terminology.hl7.org/CodeSystem/v2-${table}`, code }],
    ...(text === '' ? {} : { text }),
  };
};

/** A record of the directory, by its number: where one bears it, a reference leads there (interactions/hl7-v2/directory.ts). */
export const directoryReference = (
  type: 'Practitioner' | 'Location' | 'Device' | 'Organization',
  identifier: fhir4.Identifier | undefined,
  display: string,
): fhir4.Reference | undefined => {
  if (!identifier && display === '') return undefined;
  return { type, ...(identifier ? { identifier } : {}), ...(display === '' ? {} : { display }) };
};

/** XCN → Reference to a Practitioner. */
export const personOf = (reading: Reading, repetition: Repetition): fhir4.Reference | undefined => {
  const at = (component: number) => repetition.part(component);
  const system = systemOfAuthority(reading, repetition, 9) ?? reading.sender.numbers.get('person');
  const identifier = at(1) === '' ? undefined : { ...(system === undefined ? {} : { system }), value: at(1) };
  const display = [at(6), at(3), at(4), at(2), at(5)].filter((text) => text !== '').join(' ');
  return directoryReference('Practitioner', identifier, display);
};

/** PL → Reference to a Location: point of care, room and bed as its number, with the facility that they are in. */
export const placeOf = (reading: Reading, repetition: Repetition): fhir4.Reference | undefined => {
  const parts = [4, 1, 2, 3].map((component) => repetition.part(component));
  const value = parts.filter((text) => text !== '').join('-');
  if (value === '') return undefined;
  const system = reading.sender.authorities.get(repetition.part(4)) ?? reading.sender.authorities.get('location');
  return directoryReference(
    'Location',
    system === undefined ? undefined : { system, value },
    repetition.part(9) || value,
  );
};

/** Every repetition of a field by a datatype; undefined if none says anything. */
export const each =
  <T>(of: (reading: Reading, repetition: Repetition) => T | undefined) =>
  (field: Field, reading: Reading): T[] | undefined => {
    const values = field.repetitions.flatMap((repetition) => of(reading, repetition) ?? []);
    return values.length === 0 ? undefined : (values as T[]);
  };

/** The first repetition of a field by a datatype. */
export const first =
  <T>(of: (reading: Reading, repetition: Repetition) => T | undefined) =>
  (field: Field, reading: Reading): T | undefined =>
    of(reading, field.first);

/**
 * The value that a table has for a code.
 *
 * @throws Unfit `code-unknown` where it has none.
 */
export const byTable = <T>(table: Readonly<Record<string, T>>, repetition: Repetition): T => {
  const code = repetition.part(1).toUpperCase();
  if (!Object.hasOwn(table, code))
    throw new Unfit('code-unknown', 'The table of this field has no such code', repetition.at);
  return table[code] as T;
};

/** When something was said, by EVN-2, else MSH-7. */
export const saidAt = (message: Message, { zone }: Sender): number => {
  const recorded = message.part('EVN', 2);
  return recorded === ''
    ? instantOf(requiredPart(message.part('MSH', 7), 'MSH-7'), 'MSH-7', zone)
    : instantOf(recorded, 'EVN-2', zone);
};
