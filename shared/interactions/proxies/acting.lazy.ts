import { derivedLabels } from '../../access/derived-labels.ts';
import type { Policy } from '../../access/policy.ts';
import { agesOf } from '../../access/proxies/ages.ts';
import { concealing, lookThrough } from '../../access/proxies/hidden.ts';
import { keptOfPerson, type SaidOfPatient } from '../../access/proxies/standing.ts';
import type { Proxy } from '../../access/question.ts';
import { RecordError } from '../../errors.ts';
import { hasMerged } from '../../people/links.ts';
import { linkedWith } from '../../store/chart-links.ts';
import { proxiesOf } from '../../store/proxy-rows.ts';
import type { RecordStore } from '../../store/record-store.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { offersOf } from './offers.ts';

/** Who asks for whom. */
interface Acting {
  /** Reference to who asks. */
  readonly person: string;
  /** The chart of the patient in context; undefined if there is no such patient. */
  readonly chart: string | undefined;
  readonly policy: Pick<Policy, 'jurisdiction' | 'sensitiveCodes'>;
  /** `Type/id` of substance-use programmes. */
  readonly programmes: ReadonlySet<string>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const nobody: Proxy = {
  basis: undefined,
  mayAct: false,
  conceals: true,
  hides: () => true,
  hidesName: () => true,
};

const seesAll = { conceals: false, hides: () => false, hidesName: () => false } as const;

/**
 * What somebody may see and do of a patient's who is somebody else. The rows of the chart decide at each request, and the clock: nothing is kept in mind. A Query
 * and a read at once; of a minor's chart, a Query a megabyte more, for what is kept from the reader depends on what refers to what. Where the chart is merged, the links, and the same of the others.
 *
 * @throws RecordError `too-costly` for a minor's chart that is too large to be looked through.
 */
export const actingFor = async (
  store: RecordStore,
  { person, chart, policy, programmes, now }: Acting,
): Promise<Proxy> => {
  if (chart === undefined) return nobody;
  const [{ grants, emancipation }, head] = await Promise.all([
    proxiesOf(store, chart),
    store.read({ type: 'Patient', chart, place: '' }),
  ]);
  const grant = grants.find(({ proxy }) => proxy === person);
  const patient = patientIn(head);
  const ages = agesOf(policy.jurisdiction);
  if (!grant || !patient) return nobody;
  const merged = head?.resource && hasMerged(head.resource) ? await mergedWith(store, chart) : [];
  const matters = keptOfPerson(grant, { patient, emancipation }, merged, ages, now);
  if (!matters) return nobody;
  const right = { basis: grant.basis, mayAct: grant.rights === 'act' };
  if (matters.size === 0) return { ...right, ...seesAll };
  const kept = { matters, derived: derivedLabels(policy, programmes) };
  const charts = [chart, ...merged.map((each) => each.chart)];
  const pages = (await Promise.all(charts.map((each) => pagesOf(store, each)))).flat();
  const offers = await offersOf(store, pages.flat(), matters);
  return { ...right, ...concealing(kept, lookThrough([...pages, offers], kept)) };
};

/** What is said of the same person in another chart, as far as it may end a right. */
interface SaidElsewhere extends SaidOfPatient {
  readonly chart: string;
}

const patientIn = (head: StoredRecord | undefined) => head?.resource as unknown as fhir4.Patient | undefined;

/** What charts say that a merge has made one with this one: a right holds where it was recorded, and ends by what is said anywhere. */
const mergedWith = async (store: RecordStore, chart: string): Promise<SaidElsewhere[]> => {
  const others = (await linkedWith(store, chart)).filter((each) => each.chart !== chart);
  return Promise.all(
    others.map(async ({ chart: other }) => {
      const [{ emancipation }, head] = await Promise.all([
        proxiesOf(store, other),
        store.read({ type: 'Patient', chart: other, place: '' }),
      ]);
      return { chart: other, emancipation, patient: patientIn(head) ?? { resourceType: 'Patient' as const } };
    }),
  );
};

/** Pages of a chart, of 1 MB each: some 20,000 records. */
const mostPages = 10;

const pagesOf = async (store: RecordStore, chart: string): Promise<StoredRecord[][]> => {
  const pages: StoredRecord[][] = [];
  let after: string | undefined;
  do {
    if (pages.length === mostPages)
      throw new RecordError('too-costly', 'This chart is too large to be looked through for who acts for a minor');
    const { items, next } = await store.chart(chart, undefined, { order: 'key-order', pointers: 'none', after });
    pages.push(items);
    after = next;
  } while (after !== undefined);
  return pages;
};
