import { createHash } from 'node:crypto';
import type { Resource } from '../../shared/fhir/resource.ts';
import type { RecordType } from '../../shared/record-types/define-record-type.ts';
import { organization } from '../../shared/record-types/organization.ts';
import { patient } from '../../shared/record-types/patient.ts';
import { commit } from '../../shared/store/commit.ts';
import { inParallel } from '../../shared/store/in-parallel.ts';
import { indexChanges } from '../../shared/store/index-rows.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';

/** Records in one transaction: each has some eight rows, and a transaction has 96 actions. */
const recordsAtOnce = 10;
const lanes = 4;

const identifierSystem = 'https://numbers.example/registry';

/** Syllables that make names whose first letters spread as those of a population do. */
const onsets = ['b', 'br', 'c', 'ch', 'd', 'f', 'g', 'h', 'j', 'k', 'l', 'm', 'n', 'p', 'r', 's', 'sch', 't', 'v', 'w'];
const vowels = ['a', 'e', 'i', 'o', 'u', 'au', 'ei'];
const given = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eva', 'Finn', 'Gia', 'Hugo', 'Ida', 'Jon', 'Kim', 'Leo', 'Mia', 'Noah'];

const bytesOf = (text: string) => createHash('sha256').update(text).digest();
const pick = <T>(list: readonly T[], byte = 0): T => list[byte % list.length] as T;
const nameFrom = (bytes: Buffer): string => {
  const name = [0, 2, 4].map((at) => pick(onsets, bytes[at]) + pick(vowels, bytes[at + 1])).join('');
  return name.charAt(0).toUpperCase() + name.slice(1);
};

/** The patient of this number: always the same one. */
export const patientNumbered = (number: number) => {
  const bytes = bytesOf(`patient ${number}`);
  const born = Date.UTC(1935, 0, 1) + (bytes.readUInt32BE(8) % 30_000) * 86_400_000;
  return {
    resourceType: 'Patient',
    identifier: [{ system: identifierSystem, value: `N-${number}` }],
    name: [{ family: nameFrom(bytes), given: [pick(given, bytes[12])] }],
    telecom: [{ system: 'phone', value: `555-${String(number).padStart(7, '0')}` }],
    gender: number % 2 === 0 ? 'female' : 'male',
    birthDate: new Date(born).toISOString().slice(0, 10),
  } satisfies fhir4.Patient;
};

const organizationNumbered = (number: number) =>
  ({
    resourceType: 'Organization',
    identifier: [{ system: identifierSystem, value: `O-${number}` }],
    name: `${nameFrom(bytesOf(`organization ${number}`))} Clinic`,
  }) satisfies fhir4.Organization;

/** Whom the searches look for. Nobody else has this name or this day of birth, whatever the number of patients. */
export const sought = {
  resourceType: 'Patient',
  identifier: [{ system: identifierSystem, value: 'sought' }],
  name: [{ family: 'Xylander', given: ['Yara'] }],
  telecom: [{ system: 'phone', value: '555-9999999' }],
  gender: 'female',
  birthDate: '1931-05-06',
} as const satisfies fhir4.Patient;

export const soughtOrganization = {
  resourceType: 'Organization',
  name: 'Xenia Hospital',
} as const satisfies fhir4.Organization;

/** Numbers of the first and the last record to register, the last one excluded. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Registers patients without the work of an HTTP request for each: through the store's own commit, ten at a time.
 *
 * @param organizations - they are spread over these in turn.
 */
export const registerPatients = (store: RecordStore, range: Range, organizations: readonly string[]): Promise<void> =>
  register(store, patient, range, (number) => ({
    resource: patientNumbered(number),
    custodian: organizations[number % organizations.length] ?? '',
  }));

/** Registers entries of the directory likewise. */
export const registerOrganizations = (store: RecordStore, range: Range): Promise<void> =>
  register(store, organization, range, (number) => ({
    resource: organizationNumbered(number),
    custodian: 'northside',
  }));

const register = async (
  store: RecordStore,
  recordType: RecordType,
  { from, to }: Range,
  make: (number: number) => Pick<StoredRecord, 'custodian'> & { resource: Resource },
): Promise<void> => {
  const starts = Array.from({ length: Math.ceil((to - from) / recordsAtOnce) }, (_, n) => from + n * recordsAtOnce);
  await inParallel(lanes, starts, async (start) => {
    const numbers = Array.from({ length: Math.min(recordsAtOnce, to - start) }, (_, n) => start + n);
    const writes = numbers.map((number) => {
      const chart = store.ids.newChart();
      const address = { type: recordType.name, chart, place: '', id: chart };
      const next = { ...address, version: 1, updated: Date.now(), labels: [], ...make(number) };
      return { next, ...indexChanges(store, recordType, { next }, { next: [], previous: [] }) };
    });
    await commit(store, { writes, checks: [], unique: [], log: [], claims: [] });
  });
};
