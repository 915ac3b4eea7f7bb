/**
 * `npm run prove -- <file or folder>…`: posts bundles to a Concord of its own and proves that nothing was lost or changed: every entry
 * accepted, every resource equal to what was posted but for ids, references and the marks that Concord puts on facts, each patient's
 * `$everything` equal to the compartment and the tasks and findings that came of it, the counts of each type equal to what was created. Exit status 0 only if all of it holds.
 *
 * `npm run prove -- --searches [number] [--seed number] [--only number]`: compares searches over HTTP with an evaluator that was written
 * apart from them; with the seed it printed, one of them again.
 * `npm run prove -- --mutations [requests] [--seed number]`: sends requests of which each is broken in one place, and judges the answers.
 * `npm run prove -- --inference [requests] [--seed number]`: sends the same requests to two stores that differ only in records that the caller may not see.
 * `npm run prove -- --minute [--seed number]`: writers and readers of the same charts, for a minute.
 * `npm run prove -- --booking [--seed number]`: 64 clients book overlapping times of the same few people and rooms, for a minute.
 * `npm run prove -- --messages [number] [--seed number]`: HL7 v2 messages in several orders come to the same charts.
 * `npm run prove -- --sharing [changes] [--seed number]`: changes flow to subscribers and pollers while Consents come and go and the server is killed.
 * `npm run prove -- --profiles <folder of US Core>`: compares what was taken over of the guide with the guide.
 */
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { findFiles } from '../../infra/cli/import-sources.ts';
import { parseJson, stringifyJson } from '../../shared/fhir/json.ts';
import { typesOfPatients } from '../../shared/record-types/homes.ts';
import { inParallel } from '../../shared/store/in-parallel.ts';
import { rewriteTexts } from '../support/rewrite-texts.ts';
import { bundleIn } from './bundle-file.ts';

const lanes = 8;

const { values: options, positionals: folders } = parseArgs({
  allowPositionals: true,
  options: {
    searches: { type: 'boolean' },
    mutations: { type: 'boolean' },
    inference: { type: 'boolean' },
    minute: { type: 'boolean' },
    booking: { type: 'boolean' },
    messages: { type: 'boolean' },
    sharing: { type: 'boolean' },
    profiles: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
});
// The logger looks at its level when it is loaded.
process.env.POWERTOOLS_LOG_LEVEL ??= 'WARN';
const numberIn = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
if (options.searches) {
  const { proveSearches } = await import('./searches.ts');
  const searches = numberIn(folders[0]) ?? 5_000;
  const agree = await proveSearches({ searches, seed: numberIn(options.seed), only: numberIn(options.only) });
  process.exit(agree ? 0 : 1);
}
if (options.mutations) {
  const { proveMutations } = await import('./mutations.ts');
  process.exit((await proveMutations(numberIn(folders[0]) ?? 2_000, numberIn(options.seed))) ? 0 : 1);
}
if (options.inference) {
  const { proveInference } = await import('./inference.ts');
  process.exit((await proveInference(numberIn(folders[0]) ?? 5_000, numberIn(options.seed))) ? 0 : 1);
}
if (options.minute) {
  const { proveMinute } = await import('./minute.ts');
  process.exit((await proveMinute(numberIn(options.seed))) ? 0 : 1);
}
if (options.booking) {
  const { proveBooking } = await import('./booking.ts');
  process.exit((await proveBooking(numberIn(options.seed))) ? 0 : 1);
}
if (options.messages) {
  const { proveMessages } = await import('./messages.ts');
  process.exit((await proveMessages(numberIn(folders[0]) ?? 500, numberIn(options.seed))) ? 0 : 1);
}
if (options.sharing) {
  const { proveSharing } = await import('./sharing.ts');
  process.exit((await proveSharing(numberIn(folders[0]), numberIn(options.seed))) ? 0 : 1);
}
if (options.profiles !== undefined) {
  const { proveProfiles } = await import('./profiles.ts');
  process.exit(proveProfiles(options.profiles) ? 0 : 1);
}
if (folders.length === 0) {
  console.error('Usage: npm run prove -- <file or folder of bundles>…');
  process.exit(1);
}

const { startConcord } = await import('../../infra/local/concord.ts');
const { scratchFolder } = await import('../support/dynamodb.ts');
const started = Date.now();
const concord = await startConcord({ port: 0, dataDir: scratchFolder(), scratch: true });
const token = await concord.token('system@northside.example');
const faults: string[] = [];

/** One request; JSON with the spelling of its decimals. */
const ask = async (path: string, body?: string): Promise<{ status: number; body: unknown; text: string }> => {
  const url = path.startsWith('http') ? path : `${concord.url}/${path}`.replace(/\/$/, '');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' };
  const answer = await fetch(url, body === undefined ? { headers } : { method: 'POST', headers, body });
  const text = await answer.text();
  return { status: answer.status, body: parseJson(text), text };
};

const countOf = async (type: string) => ((await ask(`${type}?_summary=count`)).body as fhir4.Bundle).total ?? 0;

/** What was created, by `Type/id`, and the references that stood for it. */
const created = new Map<string, { posted: fhir4.FhirResource; names: ReadonlyMap<string, string>; file: string }>();
const charts = new Map<string, Set<string>>(); // patient → records of the same bundle that belong to a patient
let accepted = 0;
let matched = 0;

const files = await findFiles(folders);
const bundles = files.map((file) => ({ file, bundle: bundleIn(file) }));
bundles.sort(
  (a, b) => Number(a.bundle.type !== 'batch') - Number(b.bundle.type !== 'batch') || (a.file < b.file ? -1 : 1),
);
const types = [
  ...new Set(bundles.flatMap(({ bundle }) => (bundle.entry ?? []).map(({ resource }) => resource?.resourceType ?? ''))),
];
const before = new Map(await Promise.all(types.map(async (type) => [type, await countOf(type)] as const)));

console.error(`Posting ${bundles.length} bundles, then reading back what they hold.`);
for (const { file, bundle } of bundles) {
  const { status, body } = await ask('', stringifyJson(bundle));
  const answers = (body as fhir4.Bundle).entry ?? [];
  if (status !== 200) faults.push(`${file}: ${status}`);
  const located = (bundle.entry ?? []).map((entry, index) => {
    const { response } = answers[index] ?? {};
    const name = /([A-Z]\w+\/[^/]+)\/_history\/\d+$/.exec(response?.location ?? '')?.[1];
    if (!response?.status.startsWith('20') || !name) faults.push(`${file}, entry ${index + 1}: ${response?.status}`);
    else accepted++;
    return { entry, name: name ?? '', isNew: response?.status.startsWith('201') ?? false };
  });
  const names = new Map(located.map(({ entry, name }) => [entry.fullUrl ?? '', name]));
  const patient = located.find(({ name }) => name.startsWith('Patient/'))?.name;
  const own = new Set(
    located
      .filter(({ name }) => name === patient || typesOfPatients.has(name.split('/')[0] ?? ''))
      .map(({ name }) => name),
  );
  if (patient) charts.set(patient, own);
  for (const { entry, name, isNew } of located) {
    if (!isNew) matched++;
    else if (entry.resource) created.set(name, { posted: entry.resource as fhir4.FhirResource, names, file });
  }
}
const importedIn = Date.now() - started;

/** What must come back: the posted resource with the server's id and references; a search as reference may lead to any record of its type. */
const expected = (posted: fhir4.FhirResource, names: ReadonlyMap<string, string>, id: string) => {
  rewriteTexts(
    posted,
    (reference) =>
      names.get(reference) ?? (/^[A-Z]\w+\?/.test(reference) ? reference.replace(/\?.*/, '/…') : undefined),
  );
  return { ...posted, id };
};
/** Code systems of marks such as that nobody signed an order here. */
const ownSystems = 'https://concord.example/';

const shownAs = (stored: unknown, posted: fhir4.FhirResource) => {
  const wanted = new Map<string, string>();
  rewriteTexts(posted, (reference, expression) => {
    if (reference.endsWith('/…')) wanted.set(expression, reference);
    return undefined;
  });
  rewriteTexts(stored as fhir4.FhirResource, (_reference, expression) => wanted.get(expression));
  const { meta, ...elements } = stored as fhir4.FhirResource & { meta: fhir4.Meta };
  const { versionId: _version, lastUpdated: _updated, tag, ...others } = meta;
  const told = tag?.filter(({ system }) => !system?.startsWith(ownSystems)) ?? [];
  const kept = { ...others, ...(told.length > 0 ? { tag: told } : {}) };
  return Object.keys(kept).length > 0 ? { ...elements, meta: kept } : elements;
};

await inParallel(lanes, [...created], async ([name, { posted, names, file }]) => {
  const { status, body } = await ask(name);
  const wanted = expected(posted, names, name.split('/')[1] ?? '');
  if (
    status !== 200 ||
    !isDeepStrictEqual(JSON.parse(stringifyJson(shownAs(body, wanted))), JSON.parse(stringifyJson(wanted)))
  ) {
    faults.push(`${name} of ${file} differs from what was posted`);
  } else if (sizes(stringifyJson(wanted)) !== sizes(stringifyJson(shownAs(body, wanted)))) {
    faults.push(`${name} of ${file} has a decimal in another spelling`);
  }
});

/** All numbers as they are written, in order: 1.50 and 1.5 differ here. */
function sizes(text: string): string {
  return (text.match(/(?<=[:[,])-?\d[\d.eE+-]*(?=[,}\]])/g) ?? []).sort().join();
}

/** How many tasks and findings came of what was posted, by type. */
const came = new Map<string, number>();
const typeOf = (name: string): string => name.slice(0, name.indexOf('/'));

for (const [patient, own] of charts) {
  const found = new Set<string>();
  let next: string | undefined = `${patient}/$everything`;
  while (next) {
    const { body } = await ask(next);
    for (const { resource, search } of (body as fhir4.Bundle).entry ?? [])
      if (search?.mode === 'match') found.add(`${resource?.resourceType}/${resource?.id}`);
    next = (body as fhir4.Bundle).link?.find(({ relation }) => relation === 'next')?.url;
  }
  const missing = [...own].filter((name) => !found.has(name));
  const more = [...found].filter((name) => !own.has(name));
  const raised = more.filter((name) => /^(?:Task|DetectedIssue)\//.test(name));
  if (missing.length > 0 || raised.length < more.length)
    faults.push(
      `$everything of a patient lacks ${missing.length} records and has ${more.length - raised.length} others`,
    );
  for (const name of raised) came.set(typeOf(name), (came.get(typeOf(name)) ?? 0) + 1);
}

for (const type of types) {
  const made = [...created.keys()].filter((name) => typeOf(name) === type).length + (came.get(type) ?? 0);
  const now = await countOf(type);
  if (now !== (before.get(type) ?? 0) + made)
    faults.push(`${type}: ${now} instead of ${(before.get(type) ?? 0) + made}`);
}

await concord.settled();
await concord.stop();
console.log(
  `${bundles.length} bundles, ${accepted} entries accepted (${matched} of them found what was there), ${created.size} records read back,`,
);
console.log(
  `${charts.size} charts compared, from which ${[...came.values()].reduce((sum, count) => sum + count, 0)} tasks and findings came; ${Math.round(importedIn / 1000)} s to import, ${Math.round((Date.now() - started) / 1000)} s in all`,
);
for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
console.log(faults.length === 0 ? 'Proved.' : `${faults.length} faults.`);
process.exit(faults.length === 0 ? 0 : 1);
