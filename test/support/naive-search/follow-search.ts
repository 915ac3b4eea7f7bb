import type { World, WorldRecord } from './evaluate.ts';
import type { SearchServer } from './search-server.ts';
import { findIncluded, findMatches, misplaced, type NaiveSearch, placeIn, wronglyShown } from './whole-search.ts';

/** How the server's answer to a search compares with what the naive evaluator says. */
export type Comparison =
  | { readonly kind: 'agrees'; readonly found: number; readonly included: number; readonly pages: number }
  /** The server says that it does not do this: not a disagreement, but to be rare. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'disagrees'; readonly what: string };

const mostPages = 1_000;

class Disagreement extends Error {}

/** Thrown for an answer that is a refusal. */
class Refusal extends Error {}

/** The search as text, to be tried by hand. */
export const textOf = ({ searcher, method, path, query }: NaiveSearch): string =>
  `${searcher.role}@${searcher.organization} ${method} ${path}?${query.map(([name, value]) => `${name}=${value}`).join('&')}`;

/** Sends a search, follows its links to the end, and compares all that comes with what the naive evaluator says. */
export const followSearch = async (server: SearchServer, search: NaiveSearch, world: World): Promise<Comparison> => {
  try {
    return await follow(server, search, world);
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', reason: error.message };
    if (error instanceof Disagreement) return { kind: 'disagrees', what: error.message };
    throw error;
  }
};

const require: (holds: boolean, what: string) => asserts holds = (holds, what) => {
  if (!holds) throw new Disagreement(what);
};

const follow = async (server: SearchServer, search: NaiveSearch, world: World): Promise<Comparison> => {
  const { certain, possible } = findMatches(search, world);
  const first = await ask(server, search);
  requireTotal(first, search, certain.size, possible.size);
  if (search.summary === 'count' || search.count === 0) {
    require(entriesOf(first, 'match').length + entriesOf(first, 'include').length ===
      0, 'shows records beside a count');
    require(linkOf(first, 'next') === undefined, 'has pages of a count');
    await requireSelf(server, search, first, certain.size === possible.size);
    return { kind: 'agrees', found: certain.size, included: 0, pages: 1 };
  }
  const byPlace = new Map(world.records.map((record) => [placeIn(record), record]));
  const shown: WorldRecord[] = [];
  let [included, pages] = [0, 0];
  for (let page: fhir4.Bundle | undefined = first; page; page = await nextOf(server, search, page)) {
    require(++pages <= mostPages, 'never ends');
    requireTotal(page, search, certain.size, possible.size);
    const matches = entriesOf(page, 'match').map((entry) => recordOf(entry, byPlace, server));
    require(matches.length <= (search.count ?? 1_000), `a page shows ${matches.length} matches`);
    for (const [index, match] of matches.entries()) {
      const place = placeIn(match);
      require(possible.has(place), `finds ${place}`);
      require(!shown.includes(match), `shows ${place} twice`);
      shown.push(match);
      const wrong = wronglyShown(
        search,
        entriesOf(page, 'match')[index]?.resource as fhir4.FhirResource,
        match.resource,
      );
      require(wrong === undefined, `${place} ${wrong}`);
    }
    included += await requireIncluded(page, search, matches, world, byPlace, server);
  }
  const missing = [...certain].filter((place) => !shown.some((record) => placeIn(record) === place));
  require(missing.length === 0, `does not find ${missing.slice(0, 3).join(' ')}`);
  const wrong = misplaced(search, shown);
  require(wrong === undefined, `shows ${wrong?.map(placeIn).join(' before ')}`);
  await requireSelf(server, search, first, certain.size === possible.size);
  return { kind: 'agrees', found: shown.length, included, pages };
};

/** An include of a reference that names a version shows that version. https://hl7.org/fhir/R4/search.html#include */
const requireIncluded = async (
  page: fhir4.Bundle,
  search: NaiveSearch,
  matches: readonly WorldRecord[],
  world: World,
  byPlace: ReadonlyMap<string, WorldRecord>,
  server: SearchServer,
): Promise<number> => {
  const expected = findIncluded(search, matches, world);
  // elements are named for matches alone, a summary is one of everything
  const { elements: _, ...asIncluded } = search;
  const entries = entriesOf(page, 'include').map((entry) => {
    const record = placedAt(entry, byPlace, server);
    const version = entry.resource?.meta?.versionId;
    return { record, place: placeIn(record), version, shown: entry.resource as fhir4.FhirResource };
  });
  const isCurrent = ({ record, version }: (typeof entries)[number]) => version === record.resource.meta?.versionId;
  const referring = [...matches, ...entries.map(({ record }) => record)].map(({ resource }) =>
    JSON.stringify(resource),
  );
  for (const entry of entries) {
    const { record, place, version, shown } = entry;
    const address = `${place}/_history/${version}`;
    if (!isCurrent(entry)) require(referring.some((text) => text.includes(`${address}"`)), `includes ${address}`);
    const stored = isCurrent(entry) ? record.resource : (await server.ask(search.searcher, 'GET', address)).body;
    const wrong = wronglyShown(asIncluded, shown, stored as fhir4.FhirResource);
    require(wrong === undefined, `includes ${place}, which ${wrong}`);
  }
  const versions = new Set(entries.map(({ place, version }) => `${place} ${version}`));
  require(versions.size === entries.length, 'includes a record twice on a page');
  const places = [...new Set(entries.map(({ place }) => place))];
  // An earlier version of a match may be included with it; and what iterates goes on from the version that is included.
  if (search.includes.some(({ iterate }) => iterate) && !entries.every(isCurrent)) return places.length;
  for (const entry of entries)
    require(expected.has(entry.place) ||
      (!isCurrent(entry) && matches.includes(entry.record)), `includes ${entry.place}`);
  const missing = [...expected].filter((place) => !places.includes(place));
  require(missing.length ===
    0, `does not include ${missing.slice(0, 3).join(' ')} beside ${matches.slice(0, 3).map(placeIn).join(' ')}`);
  return places.length;
};

const asText = (query: NaiveSearch['query']): string =>
  new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString();

const ask = async (
  server: SearchServer,
  { searcher, method, path, query, inAddress }: NaiveSearch,
): Promise<fhir4.Bundle> => {
  if (method === 'GET') return bundleIn(await server.ask(searcher, 'GET', `${path}?${asText(query)}`));
  const address = path === '' ? '_search' : `${path}/_search`;
  const [first, rest] = [query.slice(0, inAddress), query.slice(inAddress)];
  return bundleIn(
    await server.ask(searcher, 'POST', first.length === 0 ? address : `${address}?${asText(first)}`, asText(rest)),
  );
};

const bundleIn = ({ status, body }: { readonly status: number; readonly body: unknown }): fhir4.Bundle => {
  if (status !== 200) {
    const [issue] = (body as Partial<fhir4.OperationOutcome>).issue ?? [];
    const reason = issue?.details?.coding?.[0]?.code ?? '';
    const text = `${reason}: ${issue?.expression?.[0]?.replace(/=.*/, '')}: ${issue?.details?.text}`;
    if (reason === 'too-costly' || reason === 'not-supported') throw new Refusal(text);
    throw new Disagreement(`is refused with ${status} ${text}`);
  }
  const bundle = body as fhir4.Bundle;
  require(bundle.resourceType === 'Bundle' && bundle.type === 'searchset', 'is no searchset');
  return bundle;
};

const nextOf = async (
  server: SearchServer,
  { searcher }: NaiveSearch,
  page: fhir4.Bundle,
): Promise<fhir4.Bundle | undefined> => {
  const url = linkOf(page, 'next');
  return url === undefined ? undefined : bundleIn(await server.ask(searcher, 'GET', url));
};

const linkOf = ({ link = [] }: fhir4.Bundle, relation: string): string | undefined =>
  link.find((each) => each.relation === relation)?.url;

const entriesOf = ({ entry = [] }: fhir4.Bundle, mode: 'match' | 'include'): fhir4.BundleEntry[] => {
  for (const { search } of entry)
    require(search?.mode === 'match' ||
      search?.mode === 'include' ||
      search?.mode === 'outcome', 'an entry has no mode');
  return entry.filter(({ search }) => search?.mode === mode);
};

/** The stored record that an entry shows in its current version. */
const recordOf = (
  entry: fhir4.BundleEntry,
  byPlace: ReadonlyMap<string, WorldRecord>,
  server: SearchServer,
): WorldRecord => {
  const record = placedAt(entry, byPlace, server);
  const version = entry.resource?.meta?.versionId;
  require(version === record.resource.meta?.versionId, `shows version ${version} of ${placeIn(record)}`);
  return record;
};

/** The stored record that an entry shows, in whatever version. */
const placedAt = (
  { fullUrl, resource }: fhir4.BundleEntry,
  byPlace: ReadonlyMap<string, WorldRecord>,
  { baseUrl }: SearchServer,
): WorldRecord => {
  const place = `${resource?.resourceType}/${resource?.id}`;
  require(fullUrl === `${baseUrl}/${place}`, `${place} has the address ${fullUrl}`);
  const record = byPlace.get(place);
  require(record !== undefined, `shows ${place}, which is not for the searcher`);
  return record;
};

/** A page that ends early, since it has read enough, need not count the rest. */
const requireTotal = (
  page: fhir4.Bundle,
  { isTotalAsked, summary, count }: NaiveSearch,
  least: number,
  most: number,
): void => {
  const { total } = page;
  const endsEarly = linkOf(page, 'next') !== undefined && entriesOf(page, 'match').length < (count ?? 50);
  if (total === undefined)
    require((!isTotalAsked || endsEarly) && summary !== 'count' && count !== 0, 'gives no total');
  else require(least <= total && total <= most, `gives the total ${total} instead of ${least}`);
};

/** What is asked again by the link of a bundle to itself gives the same. https://hl7.org/fhir/R4/search.html#conformance */
const requireSelf = async (
  server: SearchServer,
  { searcher }: NaiveSearch,
  first: fhir4.Bundle,
  isCertain: boolean,
): Promise<void> => {
  const url = linkOf(first, 'self');
  require(url !== undefined, 'has no link to itself');
  const again = bundleIn(await server.ask(searcher, 'GET', url));
  const placesOf = (bundle: fhir4.Bundle): string => {
    const [matches, others] = [entriesOf(bundle, 'match'), entriesOf(bundle, 'include')];
    return [...matches.map(({ fullUrl }) => fullUrl), ...others.map(({ fullUrl }) => fullUrl).sort()].join();
  };
  // What is about now, `_lastUpdated=ap…`, is another time when it is asked again.
  require((!isCertain || (placesOf(again) === placesOf(first) && again.total === first.total)) &&
    isSameQuery(linkOf(again, 'self'), url), 'gives something else by its own link');
};

/** Whether two addresses have the same parameters; a gateway may put those of one name together. */
const isSameQuery = (a: string | undefined, b: string): boolean =>
  a?.split(/[?&]/).sort().join() === b.split(/[?&]/).sort().join();
