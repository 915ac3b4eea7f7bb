import { changesOf } from '../../../shared/store/feed/feed-rows.ts';
import { isThere, type KnownRecord, type Ledger } from './ledger.ts';
import { conditionOn } from './load.ts';
import { familyOf } from './marks.ts';
import type { RawTable } from './raw-table.ts';
import type { Reader, Shown } from './reader.ts';

// What the ledger says must be there, against what the server shows and what stands in the table. Each answers what is wrong, in words.

/** A chart: all of its records in their versions, and none besides; found by reading, by search and by name alike. */
export const compareChart = async (ledger: Ledger, reader: Reader, patient: string): Promise<string[]> => {
  const faults: string[] = [];
  const known = ledger.inChart(patient);
  const shown = await reader.found(`${patient}/$everything`);
  faults.push(...differences(`$everything of ${patient}`, known.filter(isThere), shown));
  const observations = known.filter((record) => isThere(record) && record.name.startsWith('Observation/'));
  const found = await reader.found(`Observation?patient=${patient}&_count=1000`);
  faults.push(...differences(`the search for observations of ${patient}`, observations, found));
  const self = ledger.records.get(patient);
  if (self !== undefined) faults.push(...(await comparePatient(ledger, reader, self)));
  return faults;
};

/** A patient is found by the identifier and by the present name, and no more by an earlier one. */
const comparePatient = async (ledger: Ledger, reader: Reader, self: KnownRecord): Promise<string[]> => {
  const faults: string[] = [];
  const key = keyOf(ledger, self);
  const expect = async (query: string, names: readonly string[]) => {
    const found = (await reader.found(`Patient?${query}`)).map(({ name }) => name);
    if (found.join() !== names.join())
      faults.push(`Patient?${query} finds ${found.join() || 'nothing'} instead of ${names.join() || 'nothing'}`);
  };
  await expect(conditionOn(key), [self.name]);
  // Charts of the import have the family names of invented people, which several share.
  if (/-chart\d+-/.test(self.versions[0] ?? '')) return faults;
  const names = self.versions.map((mark) => familyOf(mark ?? ''));
  await expect(`family=${names.at(-1)}`, [self.name]);
  for (const earlier of names.slice(-3, -1)) await expect(`family=${earlier}`, []);
  return faults;
};

/** The identifier that a patient was given: a conditional create's key, or the first mark. */
const keyOf = (ledger: Ledger, { versions: [first = ''] }: KnownRecord): string =>
  [...ledger.keys].find(([, marks]) => marks.has(first))?.[0] ?? first;

const differences = (where: string, known: readonly KnownRecord[], shown: readonly Shown[]): string[] => {
  const faults: string[] = [];
  const rest = new Map(shown.map((each) => [each.name, each]));
  if (rest.size !== shown.length) faults.push(`${where} shows a record twice`);
  for (const { name, versions } of known) {
    const found = rest.get(name);
    rest.delete(name);
    if (found === undefined) faults.push(`${where} lacks ${name}, which has ${versions.length} versions`);
    else if (found.version !== versions.length || found.mark !== versions.at(-1))
      faults.push(
        `${where} shows ${name} in version ${found.version} (${found.mark}) instead of ${versions.length} (${versions.at(-1)})`,
      );
  }
  for (const { name, mark } of rest.values())
    faults.push(`${where} shows ${name} (${mark}), which nobody acknowledged`);
  return faults;
};

/** Every version of a chart's records was traced: the access log, as a privacy officer reads it, names it. */
export const compareTrace = async (ledger: Ledger, privacy: Reader, patient: string): Promise<string[]> => {
  const entries = await privacy.entries(`AuditEvent?patient=${patient}&_count=1000`);
  const traced = new Set(
    entries.flatMap(({ resource }) =>
      resource?.resourceType === 'AuditEvent'
        ? ((resource as fhir4.AuditEvent).entity ?? []).map(({ what }) => what?.reference)
        : [],
    ),
  );
  return ledger
    .inChart(patient)
    .flatMap(({ name, versions }) =>
      versions.flatMap((_mark, index) =>
        traced.has(`${name}/_history/${index + 1}`)
          ? []
          : [`the access log of ${patient} lacks ${name}, version ${index + 1}`],
      ),
    );
};

/** A record by itself: its current version, or that it was deleted, and a history without a gap. */
export const compareRecord = async (reader: Reader, record: KnownRecord): Promise<string[]> => {
  const { name, versions } = record;
  const current = await reader.current(name);
  const expected = isThere(record) ? versions.length : 0;
  if (current?.version !== expected || current.mark !== versions.at(-1))
    return [`${name} is read in version ${current?.version} instead of ${expected}`];
  const history = await reader.history(name);
  const said = history.map(({ version, mark }) => `${version}:${mark}`).join();
  const wanted = versions.map((mark, index) => `${index + 1}:${mark}`).join();
  return said === wanted ? [] : [`the history of ${name} is ${said} instead of ${wanted}`];
};

/** What conditional creates with one key were told of is one record, which a search for the key finds. */
export const compareKey = async (ledger: Ledger, reader: Reader, key: string): Promise<string[]> => {
  const type = key.startsWith('organization-') ? 'Organization' : 'Patient';
  const found = (await reader.found(`${type}?${conditionOn(key)}`)).map(({ name }) => name);
  const told = [...(ledger.once.get(key) ?? [])];
  return found.length > 1 || found.join() !== told.join()
    ? [`the key ${key} has ${found.join() || 'no record'}; conditional creates were told of ${told.join() || 'none'}`]
    : [];
};

/** The table holds the rows of the known records in their versions, index rows that lead to them, and nothing that is staged. */
export const compareTable = (ledger: Ledger, table: RawTable, directory: ReadonlySet<string>): string[] => {
  const faults = table.leftBehind();
  const locators = new Map(
    table.rowsUnder('L#').map(({ pk, item }) => [pk.slice('L#'.length).replace('#', '/'), `C#${item.chart?.S}`]),
  );
  const partitionOf = ({ name, chart }: KnownRecord) =>
    locators.get(chart ?? name) ?? locators.get(name) ?? `C#${(chart ?? name).split('/')[1]?.split('.')[0]}`;
  const wanted = new Map<string, number>();
  for (const record of ledger.records.values()) {
    const partition = partitionOf(record);
    wanted.set(partition, (wanted.get(partition) ?? 0) + record.versions.length);
  }
  const ids = new Set([...ledger.records.keys()].map((name) => name.split('/')[1] ?? ''));
  const rows = new Map<string, number>();
  const logged = new Set<string>();
  const copied = new Set<string>();
  const logs = new Set<string>();
  const keys = table.keys();
  const present = new Set(keys.map(({ pk, sk }) => `${pk} ${sk}`));
  for (const { pk, sk, target } of keys) {
    if (directory.has(`${pk} ${sk}`)) continue;
    if (target !== undefined) {
      if (!present.has(target)) faults.push(`the pointer ${pk} ${sk} leads to ${target}, which is not there`);
    } else if (pk.startsWith('C#')) rows.set(pk, (rows.get(pk) ?? 0) + 1);
    else if (pk.startsWith('X#') || (pk.startsWith('U#') && sk.startsWith('B#'))) {
      const id = sk.slice(sk.lastIndexOf('#') + 1);
      if (!ids.has(id)) faults.push(`the index row ${pk} ${sk} leads to no known record`);
    } else if (/^A#[^#]+#\d{4}-/.test(pk)) copied.add(sk);
    else if (/^A#[^#]+$/.test(pk)) {
      logged.add(sk);
      logs.add(pk);
    }
  }
  for (const sk of logged) if (!copied.has(sk)) faults.push(`the access ${sk} is not in the log by day`);
  const partitions = new Set(keys.map(({ pk }) => pk));
  for (const pk of logs) if (!partitions.has(`${pk}#chain`)) faults.push(`the log ${pk} has no chain`);
  for (const [partition, count] of wanted) {
    const has = rows.get(partition) ?? 0;
    if (has !== count) faults.push(`${partition} has ${has} rows of records and versions instead of ${count}`);
    rows.delete(partition);
  }
  for (const [partition, count] of rows) faults.push(`${partition} has ${count} rows of records that nobody knows`);
  return [...faults, ...compareFeed(table)];
};

/** The feed tells of every version that the table holds, and of no other. */
const compareFeed = (table: RawTable): string[] => {
  const nameOf = (chart: string, type: string, place: string, version: number | string) =>
    `${type} ${chart}.${place} ${version}`;
  const filed = new Set(
    table.rowsUnder('F#').flatMap(({ pk, sk, item: { layout, custodian, changes } }) => {
      const { S: plain, B: packed = '' } = changes ?? {};
      const row = { pk, sk, layout: Number(layout?.N), changes: plain ?? Buffer.from(packed, 'base64') };
      return changesOf(custodian?.S === undefined ? row : { ...row, custodian: custodian.S }).map(
        ({ chart, type, place, version }) => nameOf(chart, type, place, version),
      );
    }),
  );
  const held = new Set(
    table.rowsUnder('C#').flatMap(({ pk, sk, item }) => {
      const [, type, place] = /^(?:~H#)?([A-Z][A-Za-z]+)#([0-9a-v]*)(?:#\d{10})?$/.exec(sk) ?? [];
      const version = item.version?.N;
      return type === undefined || place === undefined || version === undefined
        ? []
        : [nameOf(pk.slice('C#'.length), type, place, version)];
    }),
  );
  const lacking = [...held].filter((name) => !filed.has(name));
  const invented = [...filed].filter((name) => !held.has(name));
  return [
    ...lacking.map((name) => `the change ${name} is not in the feed`),
    ...invented.map((name) => `the feed tells of ${name}, which is not there`),
  ];
};
