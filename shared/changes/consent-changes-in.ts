import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Role } from '../access/caller.ts';
import { directivesOf, keepersIn, openingsIn } from '../access/chart-access.ts';
import { type Directive, type Rule, unclear } from '../access/directive.ts';
import { extentOf, labelsNamed } from '../access/extent.ts';
import { part2Label } from '../access/labels.ts';
import { guestsIn, Relations } from '../access/relation.ts';
import { typesOfPatients } from '../record-types/homes.ts';
import { factsOfType } from '../record-types/subjects.ts';
import { type AccessRows, accessRowsOf } from '../store/directives.ts';
import { chartIn, directivePrefix } from '../store/keys.ts';
import { listenersOf } from '../store/listeners.ts';
import type { StoredRecord } from '../store/rows.ts';
import { type ConsentChanged, consentChangedType } from './consent-changed.ts';
import { candidatesIn, type Telling } from './recipients.ts';
import type { ToldOfChart, ToldSights } from './told-sights.ts';

type AccessRow = AccessRows['rows'][number];

/** A row by which a Consent opens or closes a chart, before and after, as the stream tells of it. */
export interface AccessRowChange {
  readonly before: AccessRow | undefined;
  readonly after: AccessRow | undefined;
  /** When it was written, in milliseconds since 1970. */
  readonly at: number;
}

/** Whether a row is what a Consent comes to: its rules, or that a patient has accepted an organisation. */
const isOfConsent = ({ pk, sk, ...row }: AccessRow): boolean =>
  chartIn(pk) !== undefined &&
  sk.startsWith(directivePrefix) &&
  ('rule' in row || sk.startsWith(`${directivePrefix}Consent#`));

/**
 * What a change of such a row tells which organisations; nothing of any other row. Whether somebody sees anything is decided for records of which no more is known than type, labels and who
 * keeps them (extent.ts), with all that opens and closes the chart now; whether it did before, by what it was told. So a loss is told with the next change of any of these rows, whichever of
 * them it came from. What a chart's Consents close they close in those that a merge has linked with it, so each of these is told of by itself. Three calls, and some more for a chart that is linked.
 *
 * @param sights - what was told before; takes in what this tells.
 * @param place - of the change in its batch.
 * @throws WrittenByNewerRelease.
 */
export const consentChangesIn = async (
  telling: Telling,
  { before, after, at }: AccessRowChange,
  sights: ToldSights,
  place = 0,
): Promise<readonly ConsentChanged[]> => {
  const row = after ?? before;
  const chart = row && isOfConsent(row) ? chartIn(row.pk) : undefined;
  if (!row || chart === undefined) return [];
  const own = await accessRowsOf(telling.store, chart);
  const linked = own?.linked.map((each) => each.chart) ?? [];
  const others = await Promise.all(linked.map((each) => accessRowsOf(telling.store, each)));
  const names = [chart, ...linked];
  const [heads, told] = await Promise.all([headsOf(telling, names), sights.of(names)]);
  const charts = [own, ...others].map((rows, index) => ({ rows, name: names[index] ?? '', told: told[index] }));
  const changes = await Promise.all(
    charts.map(async ({ rows, name, told: ofChart = nothingTold }) => {
      const head = heads.get(name);
      if (!rows || !head) return [];
      const as = (version: AccessRow | undefined) =>
        withRow(rows, { isOwn: name === chart, chart, sk: row.sk }, version);
      const found = await changesOfSight(
        telling,
        { before: as(before), after: as(after), now: rows, changed: [before, after], told: ofChart },
        head,
      );
      return found.map(({ recipient, change }): ConsentChanged => {
        const sees = change !== 'lost';
        sights.tell({ place, chart: name, organization: recipient, sees });
        const versions = [before?.version ?? 0, after?.version ?? 0];
        // Told again, another change may be found in the same row. That there is nothing to see any more is not dropped for that.
        const of = [consentChangedType, name, row.pk, row.sk, ...versions, recipient, ...(sees ? [] : [change])];
        return {
          eventId: createHash('sha256').update(of.join('\n')).digest('hex'),
          patientId: head.id,
          change,
          occurredAt: new Date(at).toISOString(),
          recipient,
        };
      });
    }),
  );
  return changes.flat();
};

const nothingTold: ToldOfChart = { told: new Set(), perhaps: new Set() };

/**
 * Whether what such an event tells its recipient is so by now: that it sees something of the chart, or nothing. What is too much to be read opens nothing. Two calls, and one more for an id that a
 * client chose.
 */
export const holdsStill = async (
  telling: Telling,
  { patientId, change, recipient }: ConsentChanged,
): Promise<boolean> => {
  const { store } = telling;
  const address = await store.locate('Patient', patientId, false);
  if (!address) return false;
  const [head, rows] = await Promise.all([store.read(address), accessRowsOf(store, address.chart)]);
  const seen = head && rows ? keepersSeen(telling, rows, { recipient, keeper: head.custodian }) : [];
  return (change === 'lost') === (seen.length === 0);
};

/** The patients whose charts these are. */
const headsOf = async ({ store }: Telling, charts: readonly string[]): Promise<ReadonlyMap<string, StoredRecord>> => {
  const heads = await store.readMany(charts.map((chart) => ({ type: 'Patient', chart, place: '' })));
  return new Map(heads.map((head) => [head.chart, head]));
};

/** What stands in a chart, or in one that is linked with it, with one row as it was or became. */
const withRow = (
  { rows, linked }: AccessRows,
  { isOwn, chart, sk }: { readonly isOwn: boolean; readonly chart: string; readonly sk: string },
  version: AccessRow | undefined,
): AccessRows => {
  const replaced = (all: AccessRows['rows']) => [
    ...all.filter((each) => each.sk !== sk),
    ...(version ? [version] : []),
  ];
  return isOwn
    ? { rows: replaced(rows), linked }
    : { rows, linked: linked.map((each) => (each.chart === chart ? { ...each, rows: replaced(each.rows) } : each)) };
};

interface Sights {
  /** With one row as it was, and all others as they are by now. */
  readonly before: AccessRows;
  readonly after: AccessRows;
  /** As it stands by now: what was opened and closed again is not told of as if it were open. */
  readonly now: AccessRows;
  readonly changed: readonly (AccessRow | undefined)[];
  readonly told: ToldOfChart;
}

type Told = Pick<ConsentChanged, 'recipient' | 'change'>;

const changesOfSight = async (
  telling: Telling,
  { before, after, now, changed, told: { told, perhaps } }: Sights,
  { custodian: keeper }: StoredRecord,
): Promise<readonly Told[]> => {
  const listeners = async () => [...(await listenersOf(telling.store)), ...(telling.partners ?? [])];
  const [past, present] = await Promise.all(
    [before, after].map((rows) => candidatesIn(rows, telling.policy, listeners)),
  );
  const named = new Set([keeper, ...(past?.named ?? []), ...(present?.named ?? []), ...told, ...perhaps]);
  const others = new Set([...(past?.others ?? []), ...(present?.others ?? [])].filter((each) => !named.has(each)));
  const changeFor = (recipient: string): ConsentChanged['change'] | undefined => {
    const [was, is] = changed.map((row) => concerning(row, recipient));
    const isConcerned = !isDeepStrictEqual(was, is);
    const of = { recipient, keeper };
    const sees = keepersSeen(telling, now, of);
    if (sees.length === 0 && (told.has(recipient) || perhaps.has(recipient))) return 'lost';
    if (!isConcerned) return undefined;
    const seen = keepersSeen(telling, before, of);
    const had = told.has(recipient) || isRelatedToAny(telling, before, recipient, seen);
    if (sees.length === 0) return had ? 'lost' : undefined;
    if (!had) return 'gained';
    return [...seen, ...sees].some((each) => reaches(changed, after, each)) ? 'changed' : undefined;
  };
  const [first] = others;
  const forOthers = first === undefined ? undefined : changeFor(first);
  return [
    ...[...named].map((recipient) => ({ recipient, change: changeFor(recipient) })),
    ...[...others].map((recipient) => ({ recipient, change: forOthers })),
  ].flatMap(({ recipient, change }) => (change ? [{ recipient, change }] : []));
};

/** Whether an organisation has a care relationship of its own with one of these, by which it knows the patient, whatever it was told. */
const isRelatedToAny = (
  { policy, now }: Telling,
  { rows }: AccessRows,
  recipient: string,
  keepers: readonly string[],
): boolean => {
  const relations = new Relations(policy.sharing === 'treatment' ? openingsIn(rows).doors : [], policy, now);
  return keepers.some((keeper) => relations.areRelated(recipient, keeper));
};

/** Whether a Consent may matter to what an organisation keeps: one that a guest of the chart keeps does for what that guest keeps, and no more is to be known of it. */
const reaches = (changed: Sights['changed'], { rows }: AccessRows, keeper: string): boolean => {
  const guests = guestsIn(openingsIn(rows).doors);
  return openingsIn(changed.flatMap((row) => row ?? [])).directives.every(
    ({ custodian }) => custodian === keeper || !guests.has(custodian),
  );
};

/** What of a row is about an organisation; undefined for nothing. */
const concerning = (row: AccessRow | undefined, organization: string): unknown => {
  if (!row) return undefined;
  const { doors, directives } = openingsIn([row]);
  const rules = directives.flatMap(({ custodian, rule }) => {
    const own = ruleFor(rule, organization);
    return own ? [{ custodian, own }] : [];
  });
  const accepted = doors.flatMap((door) =>
    door.kind === 'referral' && door.to.includes(`Organization/${organization}`) ? [{ ...door, to: [] }] : [],
  );
  return rules.length + accepted.length > 0 ? { rules, accepted } : undefined;
};

/** A rule as it is for an organisation's own system: without what is for others; undefined if that is all of it. */
const ruleFor = ({ recipients, rules = [], ...rule }: Rule, organization: string): Rule | undefined => {
  if (recipients && !recipients.includes(`Organization/${organization}`) && !recipients.includes(unclear))
    return undefined;
  const within = rules.flatMap((each) => ruleFor(each, organization) ?? []);
  if (rule.type === undefined && within.length === 0) return undefined;
  const isNamed = recipients?.includes(`Organization/${organization}`) ?? true;
  return { ...rule, ...(isNamed ? {} : { recipients: [unclear] }), ...(within.length > 0 ? { rules: within } : {}) };
};

const types = [...typesOfPatients, 'Patient'].map(factsOfType);
const asSystem: readonly Role[] = ['system'];

/** Organisations of whose records in a chart an organisation's own system may see any. */
const keepersSeen = (
  { policy, programmes, now }: Telling,
  rows: AccessRows,
  { recipient, keeper }: { readonly recipient: string; readonly keeper: string },
): string[] => {
  const { doors } = openingsIn(rows.rows);
  const directives = directivesOf(rows).flatMap((directive): Directive[] => {
    const rule = ruleFor(directive.rule, recipient);
    return rule ? [{ ...directive, rule }] : [];
  });
  const relations = new Relations(policy.sharing === 'treatment' ? doors : [], policy, now);
  const others = new Set([keeper, ...keepersIn({ doors, directives })]);
  others.delete(recipient);
  const further = labelsNamed(directives).map((label) => [label]);
  return [...others].filter((each) => {
    // All that a substance-use programme keeps is under the law of programmes.
    const ofKeeper = programmes.has(`Organization/${each}`) ? [part2Label] : [];
    const asked = {
      organization: recipient,
      roles: asSystem,
      keeper: each,
      related: relations.areRelated(recipient, each) ? ('yes' as const) : ('no' as const),
      now,
    };
    return types.some((type) =>
      [[], ...further].some(
        (labels) => extentOf(directives, { ...asked, type, labels: [...ofKeeper, ...labels] }) !== 'none',
      ),
    );
  });
};
