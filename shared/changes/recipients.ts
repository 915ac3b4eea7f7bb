import { keepersIn, openingsIn } from '../access/chart-access.ts';
import { decide } from '../access/decide.ts';
import type { Rule } from '../access/directive.ts';
import type { Policy } from '../access/policy.ts';
import { headsOwnChart } from '../record-types/homes.ts';
import { factsOfType, isDirectory } from '../record-types/subjects.ts';
import { type AccessRows, accessRowsOf } from '../store/directives.ts';
import type { RecordChange } from '../store/feed/change.ts';
import type { Version } from '../store/feed/versions.ts';
import { inParallel } from '../store/in-parallel.ts';
import { network } from '../store/keys.ts';
import { listenersOf } from '../store/listeners.ts';
import type { RecordRow } from '../store/rows.ts';
import { type Background, readableOf, readingFor, systemAsking, versionsIn } from './readable-now.ts';

/** What it is decided with who is told of changes. */
export interface Telling extends Background {
  /** Organisations that have an event bus of their own, whether they have asked for anything or not. */
  readonly partners?: readonly string[];
}

/** A change to tell of, and the row that it made, where the stream has told of that: then what stands in it decides whether its custodian is told, and nothing is read for that. */
export interface ChangeToTell {
  readonly change: RecordChange;
  readonly row?: RecordRow | undefined;
}

/** Charts whose directives are read beside one another. */
const chartsAtOnce = 8;

/**
 * The organisations that may read each of these changes now: whoever keeps the record, and those to which the chart's Consents or a care relationship open it. Each is decided upon as its own
 * system, by the one decision (readable-now.ts). What the whole network reads, the directory, is for `*` (`network` of keys.ts) and for nobody by name.
 *
 * What opens and closes a chart is read once for all of the changes, strongly consistent; a version only where somebody else than its custodian may be told of it. Where what opens and closes a
 * chart is too much to be read, nobody but the custodian is told.
 *
 * It takes as many calls and decisions for a network of thousands as for one of a few.
 *
 * @returns names of organisations, each once, for each change in its place.
 * @throws Error if a version is not there whose chart was not purged; WrittenByNewerRelease.
 */
export const recipientsOf = async (
  telling: Telling,
  changes: readonly ChangeToTell[],
): Promise<readonly (readonly string[])[]> => {
  const rowsOf = readOnce((chart) => accessRowsOf(telling.store, chart));
  const listeners = once(async () => [...(await listenersOf(telling.store)), ...(telling.partners ?? [])]);
  const charts = [...new Set(changes.filter(mayBeShared).map(({ change }) => change.chart))];
  const named = new Map(
    await inParallel(
      chartsAtOnce,
      charts,
      async (chart) => [chart, await candidatesIn(await rowsOf(chart), telling.policy, listeners)] as const,
    ),
  );
  const recipients = new Map(changes.map((each) => [each.change, new Set(toldByRow(each))]));
  const asked = changes.flatMap(({ change, row }) => {
    if (isDirectory(change.type)) return [];
    const { named: byName = [], others = [] } = (mayBeShared({ change }) && named.get(change.chart)) || {};
    const alike = others.filter((each) => each !== change.custodian);
    const candidates = [
      ...(row ? [] : [change.custodian]),
      ...byName.filter((each) => each !== change.custodian),
      ...alike.slice(0, 1),
    ];
    return candidates.length > 0 ? [{ change, candidates, alike }] : [];
  });
  for (let rest = asked; rest.length > 0; ) {
    const { versions, taken } = await versionsIn(
      telling.store,
      rest.map(({ change }) => change),
      { superseded: false, current: () => true },
    );
    const candidates = new Map(rest.slice(0, taken).map((each) => [each.change, each.candidates]));
    for (const [organization, theirs] of byCandidate(versions, candidates)) {
      const reading = readingFor(telling, systemAsking(organization), rowsOf);
      for (const { change } of await readableOf(reading, theirs)) recipients.get(change)?.add(organization);
    }
    rest = rest.slice(taken);
  }
  for (const { change, alike } of asked) {
    const told = recipients.get(change);
    const [first = ''] = alike;
    if (told?.has(first)) for (const each of alike) told.add(each);
  }
  return changes.map(({ change }) => [...(recipients.get(change) ?? [])]);
};

/** What is in a chart that may be a patient's. Nothing opens others to other organisations. */
const mayBeShared = ({ change: { type } }: ChangeToTell): boolean => !isDirectory(type) && !headsOwnChart(type);

/** Who is told without a look at what the record says. Who keeps it may read all but what it keeps from its own system, and learns that it is gone. */
const toldByRow = ({ change, row }: ChangeToTell): string[] => {
  if (isDirectory(change.type)) return [network];
  if (!row) return [];
  const { custodian, chart, type } = change;
  const facts = {
    custodian,
    chart,
    id: change.id ?? '',
    labels: [...(row.labels ?? [])],
    resource: undefined,
    ...(row.originators ? { originators: [...row.originators] } : {}),
    ...(row.misfiled && change.change !== 'deleted' ? { misfiled: true as const } : {}),
  };
  return decide(systemAsking(custodian), 'r', factsOfType(type), facts).permit ? [custodian] : [];
};

const byCandidate = (
  versions: readonly Version[],
  candidates: ReadonlyMap<RecordChange, readonly string[]>,
): ReadonlyMap<string, readonly Version[]> => {
  const found = new Map<string, Version[]>();
  for (const version of versions)
    for (const each of candidates.get(version.change) ?? []) found.set(each, [...(found.get(each) ?? []), version]);
  return found;
};

/** Organisations that are to be asked about. */
export interface Candidates {
  /** Named in a chart or in one that is linked with it, by whatever opens it, closes it or tells who keeps records there. */
  readonly named: readonly string[];
  /** Nowhere named: what is decided for one of them is decided for all. */
  readonly others: readonly string[];
}

/**
 * Organisations to which what stands in a chart may open something of it; more than those that may see anything, never fewer.
 *
 * @param rows - undefined where they are too much to be read.
 * @param listeners - whom a Consent opens the chart to that names nobody.
 */
export const candidatesIn = async (
  rows: AccessRows | undefined,
  { sharing }: Pick<Policy, 'sharing'>,
  listeners: () => Promise<readonly string[]>,
): Promise<Candidates> => {
  if (!rows) return { named: [], others: [] };
  const { doors, directives } = openingsIn(rows.rows);
  const rules = directives.map(({ rule }) => rule);
  const referrals = sharing === 'treatment' ? doors.filter((door) => door.kind === 'referral') : [];
  const names = [...rules.flatMap(recipientsIn), ...referrals.flatMap(({ to }) => to)];
  const named = new Set([...names.flatMap(organizationIn), ...referrals.map(({ custodian }) => custodian)]);
  const listening = rules.some(opensToAll) ? await listeners() : [];
  // What is said in a linked chart opens nothing here, but may close this one to somebody by name.
  const all = [{ doors, directives }, ...rows.linked.map((each) => openingsIn(each.rows))];
  const apart = new Set([
    ...all.flatMap(keepersIn),
    ...all.flatMap((each) => each.directives.flatMap(({ rule }) => recipientsIn(rule))).flatMap(organizationIn),
  ]);
  for (const each of listening) if (apart.has(each)) named.add(each);
  return { named: [...named], others: [...new Set(listening.filter((each) => !named.has(each)))] };
};

const recipientsIn = ({ recipients = [], rules = [] }: Rule): readonly string[] => [
  ...recipients,
  ...rules.flatMap(recipientsIn),
];

const organizationIn = (name: string): string[] => {
  const [, id] = /^Organization\/(.+)$/.exec(name) ?? [];
  return id === undefined ? [] : [id];
};

/** Whether something is permitted without a word of whom. */
const opensToAll = ({ type, recipients, rules = [] }: Rule): boolean =>
  recipients === undefined && (type === 'permit' || rules.some(opensToAll));

const readOnce = <T>(read: (chart: string) => Promise<T>): ((chart: string) => Promise<T>) => {
  const asked = new Map<string, Promise<T>>();
  return (chart) => {
    const answer = asked.get(chart) ?? read(chart);
    asked.set(chart, answer);
    return answer;
  };
};

const once = <T>(read: () => Promise<T>): (() => Promise<T>) => {
  const asked = readOnce(read);
  return () => asked('');
};
