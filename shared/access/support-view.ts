import { addressOf } from '../fhir/addresses.ts';
import type { Resource } from '../fhir/resource.ts';
import { subsetted } from '../search/project.ts';
import { administrative, clearedUrl, isAdministrative, isForSupport } from './support.ts';

/**
 * What is shown of an element: a plain value; its parts; a concept by its codes, without a text; a reference to one of some types, or to the reader;
 * extensions by name; a text that belongs to what is administrative.
 */
export type Shown =
  | 'value'
  | 'codes'
  | 'administrative'
  | 'interpreter'
  | 'extensions'
  | 'own name'
  | 'text if administrative'
  | readonly string[]
  | Parts;
export interface Parts {
  readonly [element: string]: Shown;
}

const period: Parts = { start: 'value', end: 'value' };

/** What support staff are shown of a record, element by element: THE LIST. What is not named is left out, wherever it stands. docs/access.md has it as a table. */
export const supportView: Readonly<Record<string, Parts>> = {
  Patient: {
    active: 'value',
    name: { use: 'value', text: 'value', family: 'value', given: 'value', prefix: 'value', suffix: 'value', period },
    birthDate: 'value',
    telecom: { system: 'value', value: 'value', use: 'value', rank: 'value', period, extension: 'extensions' },
    address: {
      use: 'value',
      type: 'value',
      text: 'value',
      line: 'value',
      city: 'value',
      district: 'value',
      state: 'value',
      postalCode: 'value',
      country: 'value',
      period,
      extension: 'extensions',
    },
    communication: { language: 'codes', preferred: 'value' },
    extension: 'extensions',
  },
  Appointment: {
    status: 'value',
    start: 'value',
    end: 'value',
    minutesDuration: 'value',
    patientInstruction: 'value',
    participant: {
      type: 'interpreter',
      actor: ['Patient', 'RelatedPerson', 'Location'],
      required: 'value',
      status: 'value',
      period,
    },
    extension: 'extensions',
  },
  Communication: {
    status: 'value',
    category: 'administrative',
    priority: 'value',
    subject: ['Patient'],
    sent: 'value',
    received: 'value',
    sender: ['Patient', 'RelatedPerson', 'Organization'],
    recipient: ['Patient', 'RelatedPerson', 'Organization'],
    payload: { contentString: 'value' },
    extension: 'extensions',
  },
  Task: {
    status: 'value',
    intent: 'value',
    priority: 'value',
    code: 'administrative',
    description: 'text if administrative',
    for: ['Patient'],
    focus: ['Patient', 'Appointment', 'Communication'],
    owner: 'own name',
    authoredOn: 'value',
    lastModified: 'value',
    executionPeriod: period,
    restriction: { period },
  },
};

/** Extensions that are shown, by address, and the value that they have. */
export const supportExtensions: Readonly<Record<string, 'valueBoolean' | 'valueCode'>> = {
  'http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired': 'valueBoolean',
  'https://concord.example/fhir/StructureDefinition/contact-restriction': 'valueCode',
  [clearedUrl]: 'valueBoolean',
};

/** How somebody is addressed: support is shown its codes. Who somebody is (`individual-genderIdentity`) is not. */
export const pronounsUrl = 'http://hl7.org/fhir/StructureDefinition/individual-pronouns';

/** What a search by support may ask of these types: what is shown. */
export const supportSearches: Readonly<Record<string, readonly string[]>> = {
  Patient: [
    'active',
    'address',
    'address-city',
    'address-country',
    'address-postalcode',
    'address-state',
    'address-use',
    'birthdate',
    'email',
    'family',
    'given',
    'language',
    'name',
    'phone',
    'phonetic',
    'telecom',
  ],
  Appointment: ['date', 'location', 'patient', 'status'],
  Communication: ['category', 'patient', 'received', 'recipient', 'sender', 'sent', 'status', 'subject'],
  Task: [
    'authored-on',
    'code',
    'focus',
    'intent',
    'modified',
    'owner',
    'patient',
    'period',
    'priority',
    'status',
    'subject',
  ],
};

/** Whether a search may not ask for this: what it looks at is not shown. Parameters of every type look at id and time alone. */
export const hidesParameter = (type: string, parameter: string): boolean =>
  type in supportView && !['_id', '_lastUpdated'].includes(parameter) && !supportSearches[type]?.includes(parameter);

type Json = Readonly<Record<string, unknown>>;

interface Reader {
  readonly fhirUser: string;
  /** Of the whole: whether it is marked as administrative. */
  readonly administrative: boolean;
}

/**
 * What support staff are shown of a resource, marked as a part of it; itself, if its type is not among those that are reduced. Pure.
 *
 * @param fhirUser - the reader's own record.
 */
export const forSupport = (resource: Resource, fhirUser: string): Resource => {
  const { resourceType } = resource;
  const parts = supportView[resourceType];
  if (!parts) return resource;
  const meta = { tag: [subsetted] };
  if (!isForSupport(resourceType, resource, fhirUser)) return { resourceType, meta };
  const { code } = resource as Partial<fhir4.Task>;
  const reader = { fhirUser, administrative: code !== undefined && isAdministrative(code) };
  return { resourceType, meta, ...partsOf(resource as unknown as Json, parts, reader) };
};

/** What of a resource is on a list. Pure. */
export const partOf = (resource: Resource, parts: Parts): Json =>
  partsOf(resource as unknown as Json, parts, { fhirUser: '', administrative: false });

const partsOf = (whole: Json, parts: Parts, reader: Reader): Json => {
  const kept = Object.entries(parts).flatMap(([element, shown]) => {
    const value = shownOf(whole[element], shown, reader);
    return value === undefined ? [] : [[element, value]];
  });
  return Object.fromEntries(kept) as Json;
};

const shownOf = (value: unknown, shown: Shown, reader: Reader): unknown => {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => shownOf(item, shown, reader)).filter((item) => item !== undefined);
    return items.length === 0 ? undefined : items;
  }
  if (shown === 'value') return typeof value === 'object' ? undefined : value;
  if (shown === 'text if administrative') return reader.administrative && typeof value === 'string' ? value : undefined;
  if (typeof value !== 'object') return undefined;
  if (shown === 'codes') return codesOf(value, () => true);
  if (shown === 'administrative') return isAdministrative(value) ? { coding: [administrative] } : undefined;
  if (shown === 'interpreter') return codesOf(value, isInterpreter);
  if (shown === 'extensions') return extensionOf(value as fhir4.Extension);
  if (shown === 'own name') return referenceOf(value, ({ reference }) => reference === reader.fhirUser);
  if (isTypes(shown))
    return referenceOf(value, ({ reference }) => shown.includes(addressOf(reference ?? '')?.name.split('/')[0] ?? ''));
  const inner = partsOf(value as Json, shown, reader);
  // Of who takes part, only who may be named is told of: how many others there are would tell of what it is about.
  const nobody = 'actor' in shown && !('actor' in inner) && !('type' in inner);
  return nobody || Object.keys(inner).length === 0 ? undefined : inner;
};

const isTypes = (shown: Shown): shown is readonly string[] => Array.isArray(shown);

const referenceOf = (value: object, isShown: (reference: fhir4.Reference) => boolean): fhir4.Reference | undefined => {
  const { reference } = value as fhir4.Reference;
  return typeof reference === 'string' && isShown({ reference }) ? { reference } : undefined;
};

const codesOf = (value: object, isShown: (coding: fhir4.Coding) => boolean): fhir4.CodeableConcept | undefined => {
  const { coding = [] } = value as fhir4.CodeableConcept;
  const kept = coding.filter(isShown).map(({ system, code }) => ({
    ...(system === undefined ? {} : { system }),
    ...(code === undefined ? {} : { code }),
  }));
  return kept.length === 0 ? undefined : { coding: kept };
};

/** https://hl7.org/fhir/R4/valueset-encounter-participant-type.html */
const isInterpreter = ({ system, code }: fhir4.Coding): boolean =>
  system === 'http://terminology.hl7.org/CodeSystem/participant-type' && code === 'translator';

/** The codes of pronouns, without the period and the comment. https://hl7.org/fhir/extensions/StructureDefinition-individual-pronouns.html */
const pronounsOf = ({ url, extension: parts }: fhir4.Extension): fhir4.Extension | undefined => {
  const value = Array.isArray(parts) ? parts.find((part) => part?.url === 'value')?.valueCodeableConcept : undefined;
  const coded = value && typeof value === 'object' ? codesOf(value, () => true) : undefined;
  return coded && { url, extension: [{ url: 'value', valueCodeableConcept: coded }] };
};

const extensionOf = (extension: fhir4.Extension): fhir4.Extension | undefined => {
  const { url } = extension;
  if (url === pronounsUrl) return pronounsOf(extension);
  const name = supportExtensions[url];
  const value = name && extension[name];
  return value === undefined || name === undefined ? undefined : ({ url, [name]: value } as fhir4.Extension);
};
