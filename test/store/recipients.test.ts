import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { usualPolicy } from '../../shared/access/policy.ts';
import { type ChangeToTell, recipientsOf } from '../../shared/changes/recipients.ts';
import { RecordError } from '../../shared/errors.ts';
import { changeIn, type RecordChange } from '../../shared/store/feed/change.ts';
import { chartKey } from '../../shared/store/keys.ts';
import { noteListener } from '../../shared/store/listeners.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { historyRow, recordRow, type StoredRecord } from '../../shared/store/rows.ts';
import { writeRows } from '../../shared/store/write-rows.ts';
import {
  isSharedByModel,
  type ModelConsent,
  type ModelRecord,
  modelProgramme,
} from '../support/access-model/consents.ts';
import { areRelatedByModel } from '../support/access-model/relations.ts';
import { concept, consents, grants, moment, record, steps } from '../support/access-model/worlds.ts';
import { type CallCounter, countCalls } from '../support/count-calls.ts';
import { type ChartOfWorld, rowsIn } from '../support/rows-of-world.ts';
import { newRecord, nextOf, testStore } from '../support/test-store.ts';

const organizations = ['northside', 'lakeside', 'hillside', 'faraway'] as const;
const relationDays = 30;

/** A chart, and a record in it with its next version. */
interface World extends ChartOfWorld {
  readonly first: ModelRecord;
  readonly nextVersion: 'nothing' | 'deleted' | 'labelled anew';
  readonly labels: ModelRecord['labels'];
  /** Whether the row is given that the stream tells of. */
  readonly streamed: boolean;
}

/** A Consent that opens what an organisation keeps. */
const opening = (to: 'lakeside' | 'everybody', custodian: string): ModelConsent => ({
  custodian,
  consent: {
    resourceType: 'Consent',
    status: 'active',
    scope: concept('consentscope', 'patient-privacy'),
    category: [{ text: 'privacy' }],
    policyRule: concept('v3-ActCode', 'OPTIN'),
    ...(to === 'lakeside'
      ? {
          provision: {
            actor: [
              { role: concept('v3-ParticipationType', 'IRCP'), reference: { reference: 'Organization/lakeside' } },
            ],
          },
        }
      : {}),
  },
});

const world: fc.Arbitrary<World> = fc
  .record({
    given: consents,
    done: steps,
    opened: grants,
    first: record.filter(({ resource }) => resource !== undefined),
    nextVersion: fc.constantFrom('nothing' as const, 'nothing' as const, 'deleted' as const, 'labelled anew' as const),
    labels: record.map((each) => each.labels),
    streamed: fc.boolean(),
    few: fc.constantFrom(0, 0, 1),
    opener: fc.constantFrom(undefined, undefined, 'lakeside', 'everybody'),
  })
  // Most Consents close more than they open.
  .map(({ few, given, opener, ...rest }) => ({
    ...rest,
    given: [...given.slice(0, few), ...(opener ? [opening(opener, rest.first.custodian)] : [])],
  }));

interface Network {
  readonly now: number;
  readonly sharing: string;
}

/** Who may read a version, by the model; undefined for who cannot be told. */
const readersByModel = (
  { given, done }: World,
  version: ModelRecord,
  { now, sharing }: Network,
): Map<string, boolean | undefined> =>
  new Map(
    organizations.map((organization) => {
      if (organization === version.custodian)
        return [organization, !version.labels.some(({ code }) => code === 'PSYTHPN')];
      const related =
        sharing === 'treatment' &&
        areRelatedByModel(done, { reader: organization, keeper: version.custodian, now, days: relationDays });
      const who = { organization, fhirUser: `Organization/${organization}`, roles: ['system'], now };
      return [organization, isSharedByModel(given, who, version, related)];
    }),
  );

/** The versions of a world's record, and the one by which each change is decided beside its own: what the record says now, or said last. */
const versionsOf = ({
  first,
  nextVersion,
  labels,
}: World): { readonly said: ModelRecord; readonly now: ModelRecord }[] => {
  if (nextVersion === 'nothing') return [{ said: first, now: first }];
  const second = nextVersion === 'deleted' ? first : { ...first, labels };
  return [
    { said: first, now: second },
    { said: second, now: second },
  ];
};

let store: RecordStore;
let calls: CallCounter;
beforeAll(async () => {
  store = await testStore();
  calls = countCalls(store.client);
  for (const each of organizations) await noteListener(store, each);
});

/** Puts a world's rows into a chart of its own, and tells of the changes that made its record. */
const put = async (each: World): Promise<ChangeToTell[]> => {
  const chart = store.ids.newChart();
  const rows = rowsIn(each).map((row) => ({ ...row, pk: chartKey(chart) }));
  const { type, id, custodian } = each.first;
  const records = versionsOf(each).map(({ said }, index): StoredRecord => {
    const isDeleted = index > 0 && each.nextVersion === 'deleted';
    return {
      ...newRecord(store, chart, { type, ...(type === 'Patient' ? { place: '' } : {}) }),
      id,
      custodian,
      version: index + 1,
      labels: said.labels.map(({ system, code }) => `${system}|${code}`),
      resource: isDeleted ? undefined : (said.resource as unknown as StoredRecord['resource']),
    };
  });
  const [place] = records.map((version) => version.place);
  const versions = records.map((version) => ({ ...version, place: place ?? '' }));
  const current = versions.at(-1);
  const recordRows = versions.map((version) =>
    version === current ? recordRow(version, store.ids) : historyRow(version, store.ids),
  );
  await writeRows(
    store,
    [...rows, ...recordRows].map((row) => ({ ...row })),
  );
  return versions.flatMap((version) => {
    const after = recordRow(version, store.ids);
    const change = changeIn({ before: undefined, after });
    return change ? [{ change, row: each.streamed ? after : undefined }] : [];
  });
};

describe('recipientsOf', () => {
  it('agrees with the model of access about each organisation that asks, in batches of many charts', async () => {
    const seen = { told: 0, not: 0, toAll: 0, related: 0, labelled: 0, gone: 0, closedSince: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(world, { minLength: 20, maxLength: 20 }),
        moment,
        fc.constantFrom('treatment', 'treatment', 'opt-in'),
        async (worlds, now, sharing) => {
          const changes = await Promise.all(worlds.map(put));
          const telling = {
            store,
            policy: { ...usualPolicy, sharing, relationDays },
            programmes: new Set([`Organization/${modelProgramme}`]),
            now,
          };
          const told = await recipientsOf(telling, changes.flat());
          const recipients = new Map<RecordChange, readonly string[]>();
          for (const [index, { change }] of changes.flat().entries()) recipients.set(change, told[index] ?? []);
          for (const [index, each] of worlds.entries())
            for (const [number, { said, now: last }] of versionsOf(each).entries()) {
              const change = changes[index]?.[number]?.change;
              if (!change) throw new Error('A version is a change');
              const [past, today] = [said, last].map((version) => readersByModel(each, version, { now, sharing }));
              const alone = readersByModel(each, said, { now, sharing: 'opt-in' });
              for (const organization of organizations) {
                // What its custodian's own system is told of is what the row itself says, where it is given.
                const isOwn = organization === said.custodian && each.streamed;
                const expected = past?.get(organization) && (isOwn || today?.get(organization));
                if (past?.get(organization) === undefined || today?.get(organization) === undefined) continue;
                const isTold = recipients.get(change)?.includes(organization);
                expect(isTold, `${organization} of ${JSON.stringify(each)}`).toBe(expected);
                if (organization === said.custodian) continue;
                seen[isTold ? 'told' : 'not']++;
                if (isTold && organization === 'faraway') seen.toAll++;
                if (isTold && !alone.get(organization)) seen.related++;
                if (isTold && said.labels.length > 0) seen.labelled++;
                if (isTold && change.change === 'deleted') seen.gone++;
                if (past.get(organization) && !today.get(organization)) seen.closedSince++;
              }
            }
        },
      ),
      { numRuns: 8, seed: 4, endOnFailure: true },
    );
    // It is worth little unless all of it comes up.
    expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(2);
  });

  const telling = () => ({ store, policy: usualPolicy, programmes: new Set<string>(), now: Date.now() });
  const changesOf = (records: readonly StoredRecord[]): ChangeToTell[] =>
    records.flatMap((each) => {
      const row = recordRow(each, store.ids);
      const change = changeIn({ before: undefined, after: row });
      return change ? [{ change, row }] : [];
    });
  const place = (date: number) => ({ place: store.ids.newPlace(date) });

  it('reads what opens a chart once for a batch, and no record where nothing does', async () => {
    const charts = [store.ids.newChart(), store.ids.newChart()];
    const records = Array.from({ length: 40 }, (_, n) => newRecord(store, charts[n % 2] ?? '', place(n)));
    calls.reset();

    const recipients = await recipientsOf(telling(), changesOf(records));

    expect(recipients).toEqual(records.map(() => ['northside']));
    expect(calls.names).toEqual(['Query', 'Query']);
  });

  it('reads the versions of a chart that is open together, whomever it may be open to', async () => {
    const chart = store.ids.newChart();
    const records = Array.from({ length: 40 }, (_, n) => newRecord(store, chart, place(n)));
    const open = rowsIn({ given: [opening('everybody', 'northside')], done: [], opened: [] });
    const rows = [
      ...open.map((row) => ({ ...row, pk: chartKey(chart) })),
      ...records.map((each) => recordRow(each, store.ids)),
    ];
    await writeRows(
      store,
      rows.map((row) => ({ ...row })),
    );
    calls.reset();

    const recipients = await recipientsOf(telling(), changesOf(records));

    expect(new Set(recipients.map((each) => each.toSorted().join(' ')))).toEqual(
      new Set([organizations.toSorted().join(' ')]),
    );
    // What opens the chart, who listens, and a row and its history row of each version.
    expect(calls.names).toEqual(['Query', 'Query', 'BatchGetItem']);
  });

  it('asks of a network of hundreds as little as of one of a few', async () => {
    const chart = store.ids.newChart();
    const names = { resourceType: 'Observation', status: 'final', encounter: { reference: 'Encounter/nowhere' } };
    const record = newRecord(store, chart, { resource: names });
    const open = rowsIn({ given: [opening('everybody', 'northside')], done: [], opened: [] });
    const rows = [...open.map((row) => ({ ...row, pk: chartKey(chart) })), { ...recordRow(record, store.ids) }];
    await writeRows(store, rows);
    const partners = Array.from({ length: 300 }, (_, n) => `partner-${n}`);
    calls.reset();

    const [recipients = []] = await recipientsOf({ ...telling(), partners }, changesOf([record]));

    expect(recipients.toSorted()).toEqual([...organizations, ...partners].toSorted());
    // Besides, where that is which the record names.
    expect(calls.names).toEqual(['Query', 'Query', 'BatchGetItem', 'GetItem']);
  });

  it('reads fewer versions at a time where they are too large to be held together', async () => {
    const chart = store.ids.newChart();
    const records = Array.from({ length: 5 }, (_, n) => newRecord(store, chart, place(n)));
    await writeRows(
      store,
      records.map((each) => ({ ...recordRow(each, store.ids) })),
    );
    const read: number[] = [];
    const small = Object.assign(Object.create(store) as RecordStore, {
      recordsIn: async (rows: Parameters<RecordStore['recordsIn']>[0]) => {
        read.push(rows.length);
        if (rows.length > 2) throw new RecordError('too-costly', 'Too large together');
        return store.recordsIn(rows);
      },
    });
    const changes = changesOf(records).map(({ change }) => ({ change }));

    expect(await recipientsOf({ ...telling(), store: small }, changes)).toEqual(records.map(() => ['northside']));
    expect(read.filter((count) => count > 0)).toEqual([5, 3, 2, 3, 2, 1]);
  });

  it('tells nobody but the custodian where what opens a chart is too much to be read', async () => {
    const chart = store.ids.newChart();
    const [row] = rowsIn({ given: [opening('everybody', 'northside')], done: [], opened: [] });
    const long = Array.from({ length: 14 }, (_, n) => ({
      ...row,
      pk: chartKey(chart),
      sk: `!access#${n}`,
      more: 'x'.repeat(390_000),
    }));
    await writeRows(store, long);
    const record = newRecord(store, chart);
    await writeRows(store, [{ ...recordRow(record, store.ids) }]);

    expect(await recipientsOf(telling(), changesOf([record]))).toEqual([['northside']]);
  });

  it('tells nobody of a psychotherapy note, whose author alone may see it', async () => {
    const note = newRecord(store, store.ids.newChart(), { originators: ['Practitioner/northside-physician'] });

    expect(await recipientsOf(telling(), changesOf([note]))).toEqual([[]]);
  });

  it('tells its custodian, and whoever could read it, that a record is gone that was in the wrong chart', async () => {
    const chart = store.ids.newChart();
    const first = newRecord(store, chart);
    const gone = nextOf(first, { resource: undefined, misfiled: true });
    const open = rowsIn({ given: [opening('lakeside', 'northside')], done: [], opened: [] });
    const rows = [
      ...open.map((row) => ({ ...row, pk: chartKey(chart) })),
      historyRow(first, store.ids),
      recordRow(gone, store.ids),
    ];
    await writeRows(
      store,
      rows.map((row) => ({ ...row })),
    );

    expect(await recipientsOf(telling(), changesOf([gone]))).toEqual([['northside', 'lakeside']]);
    expect(
      await recipientsOf(
        telling(),
        changesOf([gone]).map(({ change }) => ({ change })),
      ),
    ).toEqual([['northside', 'lakeside']]);
    // What it said is nobody's from there.
    expect(
      await recipientsOf(
        telling(),
        changesOf([first]).map(({ change }) => ({ change })),
      ),
    ).toEqual([[]]);
  });
});
