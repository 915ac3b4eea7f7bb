import { randomBytes } from 'node:crypto';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { RecordError } from '../errors.ts';
import { typesOfPatients } from '../record-types/homes.ts';
import { toBase32 } from './base32.ts';
import type { UniqueChange } from './commit.ts';
import { linkSignKey, linksKey, type Row, type RowKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import type { StoredRecord } from './rows.ts';
import { tryTransaction } from './transact.ts';
import { readMarker } from './visibility.ts';
import { writeRows } from './write-rows.ts';

// Two charts turn out to be one person's. They are linked, and searches in one read the other too; records keep their homes and ids,
// so that the link can be taken away again.
//
// Which charts are linked stands in one row of each of them, which changes under the condition that it is as it was read: so it is decided
// in one transaction, however many records there are. A search in a chart reads the rows of one type and would never come by that row, and
// a chart without a link must not pay for a look. So a linked chart has a sign in the range of each type, last of all, where a search
// for the newest begins. Signs say only that it is worth looking: they are put up before the link is made, and one that is left
// over costs a call and shows nothing wrong.

/** Charts that may be linked to one another: each is a Query in every search. */
export const mostLinked = 8;

/** A chart and the id of the patient who heads it. */
export interface LinkedChart {
  readonly chart: string;
  readonly patient: string;
}

/** A link of two charts as the row of links holds it; the id of a patient only where a client chose it. */
const edgeOf = (ends: readonly LinkedChart[]): string =>
  ends
    .map(({ chart, patient }) => (chart === patient ? chart : `${chart}=${patient}`))
    .sort()
    .join('~');

const endsOf = (edge: string): LinkedChart[] =>
  edge.split('~').map((end) => {
    const [chart = '', patient = chart] = end.split('=');
    return { chart, patient };
  });

/** The charts that edges connect with one, itself included; none if it has no link. */
const connected = (edges: readonly string[], chart: string): LinkedChart[] => {
  const found = new Map<string, LinkedChart>();
  const reached = new Set([chart]);
  for (let size = -1; size < found.size; ) {
    size = found.size;
    for (const ends of edges.map(endsOf)) {
      if (!ends.some((end) => reached.has(end.chart))) continue;
      for (const end of ends) found.set(reached.add(end.chart) && end.chart, end);
    }
  }
  return [...found.values()].sort((a, b) => (a.chart < b.chart ? -1 : 1));
};

interface LinksRow {
  readonly ids?: Set<string>;
  readonly intent?: { readonly tx: string; readonly add: readonly string[]; readonly remove: readonly string[] };
}

const linksRow = async ({ client, tableName: TableName }: RecordStore, chart: string): Promise<LinksRow> =>
  ((await client.send(new GetCommand({ TableName, Key: linksKey(chart), ConsistentRead: true }))).Item as LinksRow) ??
  {};

/** The charts linked with one, directly or by others, itself included; none if it has no link. One call. */
export const linkedWith = async (store: RecordStore, chart: string): Promise<LinkedChart[]> => {
  const { ids = new Set<string>(), intent } = await linksRow(store, chart);
  const committed =
    intent && (await readMarker(store.client, store.tableName, intent.tx))?.status === 'committed' ? intent : undefined;
  const edges = [...ids, ...(committed?.add ?? [])].filter((edge) => !committed?.remove.includes(edge));
  return connected(edges, chart);
};

/** Types whose records a search may find in a chart. */
const signed: readonly string[] = ['Group', ...typesOfPatients];

/**
 * Puts up the signs of a chart, or replaces them: first the one for records of all types. The commit of the link requires that this one
 * still stands, and who takes the signs down begins with it and leaves them all where it is another one: so a link that is
 * committed has all its signs.
 */
const putUpSigns = async (store: RecordStore, chart: string): Promise<UniqueChange> => {
  const token = toBase32(randomBytes(10));
  const sign = (type?: string): Row => ({ ...linkSignKey(chart, type), ids: new Set([token]) });
  await writeRows(store, [sign()]);
  await writeRows(store, signed.map(sign));
  return { key: linkSignKey(chart), add: [token], remove: [], expected: [token] };
};

/**
 * Plans the link of two patients' charts, with all that either is linked to already. Its changes belong into the commit that says why; if
 * one of their conditions does not hold, somebody else has linked or unlinked meanwhile: plan again. The signs are up when it returns.
 *
 * @returns nothing if the two are linked directly already.
 * @throws RecordError `business-rule` if these are no two charts of one organisation, or more than 8 would be linked.
 */
export const planLink = async (
  store: RecordStore,
  one: StoredRecord,
  other: StoredRecord,
): Promise<readonly UniqueChange[]> => {
  if (one.chart === other.chart || one.custodian !== other.custodian) {
    throw new RecordError('business-rule', 'Two charts of one organisation can be linked', { reason: 'not-linkable' });
  }
  const ends = [one, other].map(({ chart, id }): LinkedChart => ({ chart, patient: id }));
  const sides = await Promise.all(
    ends.map(async (end) => {
      const edges = [...((await linksRow(store, end.chart)).ids ?? [])];
      return { edges, members: edges.length === 0 ? [end] : connected(edges, end.chart) };
    }),
  );
  const all = [...new Set([...sides.flatMap(({ edges }) => edges), edgeOf(ends)])];
  if (connected(all, one.chart).length > mostLinked) {
    throw new RecordError('business-rule', `At most ${mostLinked} charts can be linked`, { reason: 'too-many-linked' });
  }
  const bare = sides.flatMap(({ edges, members }) => (edges.length === 0 ? members : []));
  const signs = await Promise.all(bare.map(({ chart }) => putUpSigns(store, chart)));
  const changes = sides.flatMap(({ edges, members }) => {
    const add = all.filter((edge) => !edges.includes(edge));
    return add.length === 0
      ? []
      : members.map(({ chart }) => ({ key: linksKey(chart), add, remove: [], expected: edges }));
  });
  // Where others link the two already, the charts of both sides are the same.
  return [...signs, ...new Map(changes.map((change) => [change.key.pk, change])).values()];
};

/** What taking a link away changes, and what is to be done once that is committed. */
export interface Unlinking {
  readonly changes: readonly UniqueChange[];
  /** Takes the signs down where no link is left, unless somebody has put up new ones meanwhile. */
  readonly takeDownSigns: () => Promise<void>;
}

/**
 * Plans that two charts are linked no more. What each of them is linked to otherwise stays so.
 *
 * @returns no changes if the two are not linked directly.
 */
export const planUnlink = async (store: RecordStore, one: LinkedChart, other: LinkedChart): Promise<Unlinking> => {
  const edges = [...((await linksRow(store, one.chart)).ids ?? [])];
  const kept = edges.filter((edge) => edge !== edgeOf([one, other]));
  const members = kept.length === edges.length ? [] : connected(edges, one.chart);
  const changes = members.map(({ chart }): UniqueChange => {
    const own = connected(kept, chart).map((member) => member.chart);
    const remains = (edge: string) => kept.includes(edge) && endsOf(edge).some((end) => own.includes(end.chart));
    return { key: linksKey(chart), add: [], remove: edges.filter((edge) => !remains(edge)), expected: edges };
  });
  const alone = changes.filter(({ remove }) => remove.length === edges.length).map(({ key }) => key);
  return {
    changes,
    takeDownSigns: async () => {
      await Promise.all(alone.map((links) => takeDownSigns(store, links)));
    },
  };
};

/** Takes down the signs of a chart, if they are as they are read here and the chart has no link by then. */
const takeDownSigns = async (store: RecordStore, links: RowKey): Promise<void> => {
  const { client, tableName: TableName } = store;
  const keys = [undefined, ...signed].map((type) => ({ ...linkSignKey('', type), pk: links.pk }));
  const signs = (await store.getMany(keys)) as Row[];
  if (!signs.some(({ sk }) => sk === keys[0]?.sk)) return;
  const unlinked = { ConditionExpression: 'attribute_not_exists(ids) AND attribute_not_exists(intent)' };
  await tryTransaction(client, [
    { ConditionCheck: { TableName, Key: links, ...unlinked } },
    ...signs.map(({ pk, sk, ids }) => ({
      Delete: {
        TableName,
        Key: { pk, sk },
        ConditionExpression: 'ids = :ids',
        ExpressionAttributeValues: { ':ids': ids },
      },
    })),
  ]);
};
