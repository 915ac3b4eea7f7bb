import { isZone } from '../scheduling/wall-clock.ts';
import { Unfit } from './unfit.ts';

/** What a system is that sends messages, and how they are read. It stands in an Endpoint of the organisation (docs/hl7-v2.md). */
export interface Sender {
  /** `MSH-3|MSH-4`. */
  readonly name: string;
  /** Zone of its clock, by its name in the IANA database. */
  readonly zone: string;
  /** Versions of HL7 that it may send; any that is served, if none is named. */
  readonly versions: readonly string[];
  /** What MSH-11 may be. */
  readonly processing: readonly string[];
  /** Applications that may send for it, by the client of their token; any of the organisation, if none is named. */
  readonly clients: readonly string[];
  /** Assigning authority → system of the identifiers that it assigns. */
  readonly authorities: ReadonlyMap<string, string>;
  /** Authorities whose identifiers say which patient is meant. */
  readonly patientAuthorities: ReadonlySet<string>;
  /** System of what has no assigning authority, by what it is a number of. */
  readonly numbers: ReadonlyMap<NumberOf, string>;
  /** Name of a coding system, as the sender has it → its URI. */
  readonly codeSystems: ReadonlyMap<string, string>;
}

/** What may be numbered without an authority. */
export type NumberOf = 'visit' | 'placer' | 'filler' | 'appointment' | 'person';
const numbered: readonly NumberOf[] = ['visit', 'placer', 'filler', 'appointment', 'person'];

export const senderSystem = 'https://concord.example/fhir/sid/hl7-v2-sender';
export const senderExtension = 'https://concord.example/fhir/StructureDefinition/hl7-v2-sender';

/** The identifier by which the Endpoint of a sender is found. */
export const senderName = (application: string, facility: string): string => `${application}|${facility}`;

const textOf = ({ valueString, valueCode, valueUri, valueBoolean }: fhir4.Extension): string | undefined =>
  valueString ?? valueCode ?? valueUri ?? (valueBoolean === undefined ? undefined : String(valueBoolean));

const known: ReadonlySet<string> = new Set([
  'timezone',
  'version',
  'processing',
  'client',
  'authority',
  'number',
  'code-system',
]);

/**
 * Reads what an Endpoint says of a sender.
 *
 * @throws Unfit `sender-configuration` for whatever is missing or not understood: to guess would file under the wrong patient.
 */
export const senderIn = ({ extension = [] }: Pick<fhir4.Endpoint, 'extension'>, name: string): Sender => {
  const [own, ...others] = extension.filter(({ url }) => url === senderExtension);
  if (!own || others.length > 0) throw misunderstood('The Endpoint has not one extension hl7-v2-sender');
  const parts = own.extension ?? [];
  for (const { url } of parts) if (!known.has(url)) throw misunderstood(`${url.slice(0, 50)} is not known of a sender`);
  const texts = (url: string): string[] =>
    parts.filter((part) => part.url === url).map((part) => required(textOf(part), url));
  const pairs = (url: string, ...names: [string, string]): [string, string, fhir4.Extension][] =>
    parts
      .filter((part) => part.url === url)
      .map((part) => {
        const value = (name: string) => part.extension?.find((each) => each.url === name);
        const [one, other] = names.map((name) => required(textOf(value(name) ?? { url: '' }), `${url}.${name}`));
        return [one ?? '', other ?? '', part];
      });
  const [zone, ...zones] = texts('timezone');
  if (zone === undefined || zones.length > 0 || !isZone(zone)) throw misunderstood('timezone is one name of a zone');
  const authorities = pairs('authority', 'code', 'system');
  const numbers = pairs('number', 'of', 'system').map(([of, system]): [NumberOf, string] => {
    const what = numbered.find((each) => each === of);
    if (!what) throw misunderstood(`number.of is one of ${numbered.join(', ')}`);
    return [what, system];
  });
  return {
    name,
    zone,
    versions: texts('version'),
    processing: [...texts('processing'), ...(texts('processing').length === 0 ? ['P'] : [])],
    clients: texts('client'),
    authorities: new Map(authorities.map(([code, system]) => [code, system])),
    patientAuthorities: new Set(
      authorities
        .filter(([, , part]) => part.extension?.some(({ url, valueBoolean }) => url === 'patient' && valueBoolean))
        .map(([code]) => code),
    ),
    numbers: new Map(numbers),
    codeSystems: new Map(pairs('code-system', 'name', 'system').map(([code, system]) => [code, system])),
  };
};

const required = (text: string | undefined, name: string): string => {
  if (text === undefined || text.trim() === '') throw misunderstood(`${name.slice(0, 50)} says nothing`);
  return text;
};

const misunderstood = (message: string): Unfit => new Unfit('sender-configuration', message, 'MSH-3');
