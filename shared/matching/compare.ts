import { foldText } from '../search/fold.ts';
import { compareNames, namesOf } from './names.ts';
import type { Finding } from './weights.ts';

/** What comparing two patients finds, field by field. What one of them does not tell is no finding. */
export const comparePatients = (a: fhir4.Patient, b: fhir4.Patient): Finding[] => [
  ...compareNames(namesOf(a), namesOf(b)),
  ...compareBirthDates(a.birthDate, b.birthDate),
  ...compareGenders(a.gender, b.gender),
  ...compareBirthOrders(a.multipleBirthInteger, b.multipleBirthInteger),
  ...compareIdentifiers(a.identifier ?? [], b.identifier ?? []),
  ...compareTelecoms(a.telecom ?? [], b.telecom ?? []),
  ...compareAddresses(a.address ?? [], b.address ?? []),
];

const compareBirthDates = (a: string | undefined, b: string | undefined): Finding[] => {
  if (a === undefined || b === undefined) return [];
  const level = birthDateLevel(a, b);
  return [{ field: 'birthDate', level }];
};

const birthDateLevel = (a: string, b: string): Extract<Finding, { field: 'birthDate' }>['level'] => {
  const short = Math.min(a.length, b.length);
  if (short < 10) return a.slice(0, short) === b.slice(0, short) ? 'partly' : 'different';
  if (a === b) return 'same';
  if (a === otherWayRound(b)) return 'swapped';
  const differing = [...a].flatMap((digit, index) => (digit === b[index] ? [] : [index]));
  const [first = 0, second] = differing;
  const turned = differing.length === 2 && second !== undefined && a[first] === b[second] && a[second] === b[first];
  const neighbours = turned && a.slice(first + 1, second).replace('-', '') === '';
  return differing.length === 1 || neighbours ? 'digits' : 'different';
};

/** A date whose day was taken for its month; undefined if that is none. */
export const otherWayRound = (date: string): string | undefined => {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date) ?? [];
  return day !== undefined && month !== day && Number(day) <= 12 ? `${year}-${day}-${month}` : undefined;
};

const compareGenders = (a: fhir4.Patient['gender'], b: fhir4.Patient['gender']): Finding[] => {
  const told = (gender: fhir4.Patient['gender']) => gender === 'male' || gender === 'female';
  return told(a) && told(b) ? [{ field: 'gender', level: a === b ? 'same' : 'different' }] : [];
};

const compareBirthOrders = (a: number | undefined, b: number | undefined): Finding[] =>
  a === undefined || b === undefined ? [] : [{ field: 'birthOrder', level: a === b ? 'same' : 'different' }];

/** Systems of numbers of which a person has one in life. Others, such as those of hospitals, differ where a record was made twice. */
const oneInLife: ReadonlySet<string> = new Set(['http://hl7.org/fhir/sid/us-ssn']);
/** http://terminology.hl7.org/CodeSystem/v2-0203: social security and national unique numbers. */
const oneInLifeTypes: ReadonlySet<string | undefined> = new Set(['SS', 'SB', 'NI', 'NIIP']);

const compareIdentifiers = (a: readonly fhir4.Identifier[], b: readonly fhir4.Identifier[]): Finding[] => {
  const plain = (value: string) => value.replace(/[\s-]/g, '').toLowerCase();
  let different = false;
  for (const one of a) {
    for (const other of b) {
      if (one.system === undefined || one.system !== other.system) continue;
      if (one.value === undefined || other.value === undefined) continue;
      if (plain(one.value) === plain(other.value)) return [{ field: 'identifier', level: 'same' }];
      different ||= oneInLife.has(one.system) || isOneInLife(one) || isOneInLife(other);
    }
  }
  return different ? [{ field: 'identifier', level: 'different' }] : [];
};

const isOneInLife = ({ type }: fhir4.Identifier): boolean =>
  (type?.coding ?? []).some(({ code }) => oneInLifeTypes.has(code));

const compareTelecoms = (a: readonly fhir4.ContactPoint[], b: readonly fhir4.ContactPoint[]): Finding[] => [
  ...agreement('phone', phonesIn(a), phonesIn(b)),
  ...agreement('email', emailsIn(a), emailsIn(b)),
];

const agreement = (field: 'phone' | 'email', a: readonly string[], b: readonly string[]): Finding[] =>
  a.length === 0 || b.length === 0 ? [] : [{ field, level: a.some((each) => b.includes(each)) ? 'same' : 'different' }];

/** The last nine digits, so that a country's code, or a zero instead of it, makes no difference. */
const phonesIn = (telecom: readonly fhir4.ContactPoint[]): string[] =>
  telecom
    .filter(({ system }) => system === 'phone' || system === 'sms')
    .map(({ value }) => (value ?? '').replace(/\D/g, '').slice(-9))
    .filter((digits) => digits.length >= 7);

const emailsIn = (telecom: readonly fhir4.ContactPoint[]): string[] =>
  telecom.flatMap(({ system, value }) => (system === 'email' && value ? [value.trim().toLowerCase()] : []));

const addressLevels = ['same', 'postalCode', 'city', 'different'] as const;

const compareAddresses = (a: readonly fhir4.Address[], b: readonly fhir4.Address[]): Finding[] => {
  const levels = a.flatMap((one) => b.flatMap((other) => addressLevel(one, other) ?? []));
  const level = addressLevels.find((each) => levels.includes(each));
  return level ? [{ field: 'address', level }] : [];
};

const addressLevel = (a: fhir4.Address, b: fhir4.Address): (typeof addressLevels)[number] | undefined => {
  const same = (of: (address: fhir4.Address) => string) => of(a) !== '' && of(a) === of(b);
  const known = (of: (address: fhir4.Address) => string) => of(a) !== '' && of(b) !== '';
  const [postal, city] = [same(postalCodeOf), same(cityOf)];
  if (same(lineOf) && (postal || city)) return 'same';
  if (postal) return 'postalCode';
  if (city) return 'city';
  return known(postalCodeOf) || known(cityOf) ? 'different' : undefined;
};

/** Without what follows the five digits of the United States. */
const postalCodeOf = ({ postalCode = '' }: fhir4.Address): string =>
  foldText(postalCode.replace(/^(\d{5})-?\d{4}$/, '$1')).replaceAll(' ', '');
const cityOf = ({ city = '' }: fhir4.Address): string => foldText(city);

/** https://pe.usps.com/text/pub28/28apc_002.htm */
const abbreviations: Readonly<Record<string, string>> = {
  street: 'st',
  road: 'rd',
  avenue: 'ave',
  drive: 'dr',
  lane: 'ln',
  court: 'ct',
  place: 'pl',
  boulevard: 'blvd',
  apartment: 'apt',
  north: 'n',
  south: 's',
  east: 'e',
  west: 'w',
};
const lineOf = ({ line = [] }: fhir4.Address): string =>
  foldText(line.filter((each: string | null) => each !== null).join(' '))
    .split(' ')
    .map((word) => abbreviations[word] ?? word)
    .join(' ');
