import { withSpellingOf } from '../../shared/fhir/json.ts';
import { looseResources, readBundle, type Source } from './import-sources.ts';

/** One entry of a bundle to be posted, and where it comes from. */
export interface PlannedEntry {
  readonly place: string;
  readonly entry: fhir4.BundleEntry;
}

/** One request to come. */
export interface Posting {
  readonly type: 'batch' | 'transaction';
  readonly entries: readonly PlannedEntry[];
}

/** Something that cannot even be posted. */
export interface Unpostable {
  readonly place: string;
  readonly reason: string;
}

/** Resources in one batch: by number, and by size in characters of JSON. */
const mostInBatch = 100;
const largestBatch = 3_000_000;

/** Types that others refer to, in an order in which few references come before what they name. */
const firstTypes = [
  'Organization',
  'Location',
  'Endpoint',
  'HealthcareService',
  'Practitioner',
  'PractitionerRole',
  'Device',
  'Medication',
  'Questionnaire',
  'Patient',
  'RelatedPerson',
  'Coverage',
  'EpisodeOfCare',
  'Encounter',
  'Condition',
];

/**
 * The order of the files: batch bundles, which hold what others refer to, before resources on their own, before transactions.
 * Within these, the order given.
 */
export const inOrder = (sources: readonly Source[]): Source[] => {
  const kinds: readonly Source['kind'][] = ['unreadable', 'batch', 'resources', 'transaction'];
  const rank = (source: Source) => {
    if (source.kind !== 'resources') return 0;
    const known = firstTypes.indexOf(source.firstType);
    return known === -1 ? firstTypes.length : known;
  };
  return [...sources].sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || rank(a) - rank(b));
};

/**
 * The requests for files in order, made one at a time. Resources on their own share batches, across files.
 *
 * @param elsewhere - whether they were exported by another Concord, whose ids get a prefix.
 */
export async function* postings(
  sources: readonly Source[],
  { elsewhere = false }: { readonly elsewhere?: boolean } = {},
): AsyncGenerator<Posting | Unpostable> {
  let waiting: PlannedEntry[] = [];
  let size = 0;
  const gathered = function* (): Generator<Posting> {
    if (waiting.length > 0) yield { type: 'batch', entries: waiting };
    waiting = [];
    size = 0;
  };
  for (const source of sources) {
    if (source.kind === 'unreadable') yield { place: source.file, reason: source.reason };
    if (source.kind === 'batch' || source.kind === 'transaction') {
      yield* gathered();
      yield { type: source.kind, entries: entriesOf(source.file, await readBundle(source.file)) };
    }
    if (source.kind !== 'resources') continue;
    for await (const loose of looseResources(source.file)) {
      if ('reason' in loose) {
        yield loose;
        continue;
      }
      const length = JSON.stringify(loose.resource).length;
      if (waiting.length === mostInBatch || size + length > largestBatch) yield* gathered();
      waiting.push({ place: loose.place, entry: storing(loose.resource, elsewhere) });
      size += length;
    }
  }
  yield* gathered();
}

const entriesOf = (file: string, { entry = [] }: fhir4.Bundle): PlannedEntry[] =>
  entry.map((each, index) => ({ place: `${file}, entry ${index + 1}`, entry: each }));

/** An id that another deployment made: no other one can have made it, so here it is nobody's, and refused. */
const madeElsewhere = /^(?:[0-9a-v]{26}(?:\.[0-9a-v]{26})?)$/;
const referenceElsewhere = /^([A-Z][A-Za-z]+\/)([0-9a-v]{26}(?:\.[0-9a-v]{26})?)((?:\/_history\/\d+)?)$/;
/** Stands in front of it, and makes it an id that a client chose. */
const foreign = 'x-';

/** A resource of an export of another Concord under ids that this one takes: of its own, and of what it refers to, content that an attachment names included. */
const fromElsewhere = <T extends fhir4.FhirResource>(resource: T): T => {
  const renamed = (value: unknown, name = ''): unknown => {
    if (typeof value === 'string' && (name === 'reference' || name === 'url'))
      return value.replace(referenceElsewhere, `$1${foreign}$2`);
    if (Array.isArray(value)) return value.map((each) => renamed(each, name));
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, renamed(each, key)]));
    return withSpellingOf(copy, value);
  };
  const { id = '', ...rest } = renamed(resource) as T;
  return withSpellingOf({ ...rest, id: madeElsewhere.test(id) ? `${foreign}${id}` : id } as T, resource);
};

/** A resource that has an id keeps it. */
const storing = (given: fhir4.FhirResource, elsewhere: boolean): fhir4.BundleEntry => {
  const resource = elsewhere && given.id !== undefined ? fromElsewhere(given) : given;
  return {
    resource,
    request:
      resource.id === undefined
        ? { method: 'POST', url: resource.resourceType }
        : { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  };
};

/** The type that an entry writes, for the report. */
export const typeOf = ({ resource, request }: fhir4.BundleEntry): string =>
  resource?.resourceType ?? request?.url.split(/[/?]/)[0] ?? 'unknown';
