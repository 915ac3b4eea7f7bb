import { foldText as fold } from '../../../shared/search/fold.ts';
import type { RecordStore } from '../../../shared/store/record-store.ts';

/** What is known of a chart that tells who has to do with it. */
export interface ChartTies {
  /** `Practitioner/id` of everybody whom a record of the chart names: who wrote, ordered, saw, treats. */
  readonly named: ReadonlySet<string>;
}

const personIn = /"reference":"((?:Practitioner|PractitionerRole)\/[A-Za-z0-9\-.]{1,64})["/]/g;

/** Whom the records of charts name, those by their role included. A Query a megabyte of each chart, and a call for each role. */
export const tiesOf = async (store: RecordStore, charts: readonly string[]): Promise<ChartTies> => {
  const named = new Set<string>();
  for (const chart of charts) {
    let after: string | undefined;
    do {
      const { items, next } = await store.chart(chart, undefined, { order: 'key-order', after });
      for (const { resource } of items)
        for (const [, reference = ''] of JSON.stringify(resource ?? {}).matchAll(personIn)) named.add(reference);
      after = next;
    } while (after !== undefined);
  }
  for (const reference of named) {
    const [type = '', id = ''] = reference.split('/');
    if (type !== 'PractitionerRole') continue;
    const role = (await directoryRecord(store, type, id)) as fhir4.PractitionerRole | undefined;
    if (role?.practitioner?.reference) named.add(role.practitioner.reference);
  }
  return { named };
};

/** A record of the directory; undefined if there is none. */
export const directoryRecord = async (store: RecordStore, type: string, id: string): Promise<unknown> => {
  const address = await store.locate(type, id, true);
  return address && (await store.read(address))?.resource;
};

/** What makes somebody look into an access: nothing ties them to the patient by their work, or something does by their life. */
export type Sign =
  | 'own chart'
  | 'same surname'
  | 'same address'
  | 'broke the glass'
  | 'nothing ties them to the patient';

/** The people of whom two records are, as far as the signs go by them. */
interface Person {
  readonly name?: readonly fhir4.HumanName[] | undefined;
  readonly birthDate?: string | undefined;
  readonly address?: readonly fhir4.Address[] | undefined;
}

const surnames = ({ name = [] }: Person): Set<string> =>
  new Set(name.flatMap(({ family }) => (family ? [fold(family)] : [])));
const givenNames = ({ name = [] }: Person): Set<string> => new Set(name.flatMap(({ given = [] }) => given.map(fold)));
const addresses = ({ address = [] }: Person): Set<string> =>
  new Set(
    address.flatMap(({ line = [], postalCode }) =>
      line[0] && postalCode ? [fold(`${line[0]} ${postalCode}`.replace(/[^\p{L}\p{N}]+/gu, ' '))] : [],
    ),
  );
const meet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => [...a].some((each) => b.has(each));

/** What two people have in common beside work. Pure. */
export const likeness = (viewer: Person, patient: Person): Sign[] => {
  const surname = meet(surnames(viewer), surnames(patient));
  const own =
    surname &&
    meet(givenNames(viewer), givenNames(patient)) &&
    (viewer.birthDate === undefined || patient.birthDate === undefined || viewer.birthDate === patient.birthDate);
  return [
    ...(own ? (['own chart'] as const) : surname ? (['same surname'] as const) : []),
    ...(meet(addresses(viewer), addresses(patient)) ? (['same address'] as const) : []),
  ];
};
