import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { communication } from '../../shared/record-types/communication.ts';
import { typesOfPatients } from '../../shared/record-types/homes.ts';
import { type LinkedChart, linkedWith, planLink, planUnlink } from '../../shared/store/chart-links.ts';
import { type Commit, commit, type UniqueChange } from '../../shared/store/commit.ts';
import { CommitRefused } from '../../shared/store/commit-refusal.ts';
import { isLinkSign, linkSignKey } from '../../shared/store/keys.ts';
import { linkedPage } from '../../shared/store/linked-page.ts';
import { pointerChanges } from '../../shared/store/pointer-rows.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import type { StoredRecord } from '../../shared/store/rows.ts';
import { sweepTransactions } from '../../shared/store/settle-transaction.ts';
import { bulk } from '../support/staged-commit.ts';
import { type Call, commitOf, intercepted, newRecord, rowsOf, testStore } from '../support/test-store.ts';

let store: RecordStore;
let patients: StoredRecord[];

beforeAll(async () => {
  store = await testStore();
});
beforeEach(async () => {
  patients = await Promise.all(Array.from({ length: 9 }, () => newPatient()));
});

const newPatient = async (over: Partial<StoredRecord> = {}): Promise<StoredRecord> => {
  const chart = store.ids.newChart();
  const record = newRecord(store, chart, { type: 'Patient', place: '', id: chart, ...over });
  await commit(store, commitOf({ writes: [{ next: record }] }));
  return record;
};
const at = (number: number): StoredRecord => patients[number] as StoredRecord;
const end = ({ chart, id }: StoredRecord): LinkedChart => ({ chart, patient: id });

const link = async (one: StoredRecord, other: StoredRecord, rest: Partial<Commit> = {}) =>
  commit(store, commitOf({ unique: await planLink(store, one, other), ...rest }));
const unlink = async (one: StoredRecord, other: StoredRecord) => {
  const { changes, takeDownSigns } = await planUnlink(store, end(one), end(other));
  if (changes.length > 0) await commit(store, commitOf({ unique: changes }));
  await takeDownSigns();
};
/** Numbers of the patients whose charts are read together with each one's. */
const groups = async (...numbers: number[]) =>
  Promise.all(
    numbers.map(async (number) =>
      (await linkedWith(store, at(number).chart))
        .map(({ chart }) => patients.findIndex((patient) => patient.chart === chart))
        .sort(),
    ),
  );
const signsOf = async (number: number) =>
  (await rowsOf(store, `C#${at(number).chart}`)).filter((row) => isLinkSign(row)).length;
const allSigns = typesOfPatients.size + 2;

describe('linked charts', () => {
  it('know one another, directly or by others', async () => {
    await link(at(0), at(1));
    await link(at(2), at(3));
    expect(await groups(0, 1, 2, 4)).toEqual([[0, 1], [0, 1], [2, 3], []]);

    await link(at(1), at(2));

    expect(await groups(0, 1, 2, 3)).toEqual(Array(4).fill([0, 1, 2, 3]));
  });

  it('are what is left of their links when one is taken away', async () => {
    await link(at(0), at(1));
    await link(at(1), at(2));
    await link(at(2), at(3));

    await unlink(at(1), at(2));
    expect(await groups(0, 1, 2, 3)).toEqual([
      [0, 1],
      [0, 1],
      [2, 3],
      [2, 3],
    ]);

    await unlink(at(0), at(1));
    expect(await groups(0, 1, 2)).toEqual([[], [], [2, 3]]);
  });

  it('stay together while another link holds them, and are linked by both', async () => {
    await link(at(0), at(1));
    await link(at(1), at(2));
    await link(at(0), at(2));

    await unlink(at(0), at(1));
    expect(await groups(0, 1, 2)).toEqual(Array(3).fill([0, 1, 2]));
    await unlink(at(0), at(2));
    expect(await groups(0, 1, 2)).toEqual([[], [1, 2], [1, 2]]);
  });

  it('may be linked again, and a link that is there or is not changes nothing', async () => {
    await link(at(0), at(1));
    expect(await planLink(store, at(1), at(0))).toEqual([]);
    expect((await planUnlink(store, end(at(0)), end(at(2)))).changes).toEqual([]);

    for (let n = 0; n < 3; n++) {
      await unlink(at(0), at(1));
      expect(await groups(0, 1)).toEqual([[], []]);
      await link(at(1), at(0));
      expect(await groups(0, 1)).toEqual([
        [0, 1],
        [0, 1],
      ]);
    }
  });

  it('know the ids that clients chose for their patients', async () => {
    const chosen = await newPatient({ id: 'chosen-by-client' });

    await link(chosen, at(0));

    expect(await linkedWith(store, at(0).chart)).toEqual(
      [end(chosen), end(at(0))].sort((a, b) => (a.chart < b.chart ? -1 : 1)),
    );
  });

  it('are eight at most', async () => {
    for (let n = 1; n < 4; n++) await link(at(0), at(n));
    for (let n = 5; n < 8; n++) await link(at(4), at(n));
    await link(at(0), at(4));
    expect((await groups(7))[0]).toHaveLength(8);

    await expect(link(at(8), at(3))).rejects.toMatchObject({ kind: 'business-rule', reason: 'too-many-linked' });
    expect(await groups(8, 0)).toEqual([[], [0, 1, 2, 3, 4, 5, 6, 7]]);
  });

  it('belong to one organisation, and are two', async () => {
    const elsewhere = await newPatient({ custodian: 'lakeside' });

    for (const other of [elsewhere, at(0)]) {
      await expect(planLink(store, at(0), other)).rejects.toMatchObject({ reason: 'not-linkable' });
    }
  });
});

/** What became of commits that began at once. */
const outcomes = (commits: readonly Promise<void>[]) =>
  Promise.all(
    commits.map((each) =>
      each.then(
        () => 'done',
        (error: unknown) => (error instanceof CommitRefused ? 'refused' : Promise.reject(error)),
      ),
    ),
  );

describe('two who link at once', () => {
  it('do not both win, wherever their charts meet', async () => {
    await link(at(0), at(1));
    await link(at(2), at(3));
    for (const [one, two] of [
      [
        [0, 4],
        [0, 5],
      ], // the same chart
      [
        [0, 6],
        [1, 7],
      ], // two charts that are linked
      [
        [0, 2],
        [1, 3],
      ], // the same two groups
    ] as const) {
      const before = await groups(...one, ...two);
      const plans = await Promise.all([one, two].map(([a, b]) => planLink(store, at(a), at(b))));

      const done = await outcomes(plans.map((unique) => commit(store, commitOf({ unique }))));

      expect(done.sort()).toEqual(['done', 'refused']);
      expect(await groups(...one, ...two)).not.toEqual(before);
    }
  });

  it('both win where their charts have nothing to do with one another', async () => {
    const done = await outcomes([link(at(0), at(1)), link(at(2), at(3))]);

    expect(done).toEqual(['done', 'done']);
  });

  it('cannot link more than eight charts together', async () => {
    for (let n = 1; n < 7; n++) await link(at(0), at(n));
    const plans = await Promise.all([7, 8].map((n) => planLink(store, at(n - 6), at(n))));

    expect((await outcomes(plans.map((unique) => commit(store, commitOf({ unique }))))).sort()).toEqual([
      'done',
      'refused',
    ]);
    expect((await groups(0))[0]).toHaveLength(8);
  });
});

describe('a sign', () => {
  it('stands in the range of each type and of all, where the chart has a link, and nowhere else', async () => {
    await link(at(0), at(1));
    expect([await signsOf(0), await signsOf(1), await signsOf(2)]).toEqual([allSigns, allSigns, 0]);

    await link(at(1), at(2));
    await unlink(at(0), at(1));
    expect([await signsOf(0), await signsOf(1), await signsOf(2)]).toEqual([0, allSigns, allSigns]);
  });

  it('shows nothing wrong where its link came to nothing', async () => {
    await planLink(store, at(0), at(1)); // and the process is gone
    const record = newRecord(store, at(0).chart);
    await commit(store, commitOf({ writes: [{ next: record }] }));

    const page = await linkedPage(store, at(0).chart, 'Observation', {});

    expect(page.items.map(({ record: { id } }) => id)).toEqual([record.id]);
    expect(page.linked).toEqual([]);
    await link(at(0), at(1));
    expect(await groups(0)).toEqual([[0, 1]]);
  });

  it('stays where a link is made while it is being taken down, whatever the other has read by then', async () => {
    const first = { pk: `C#${at(0).chart}`, sk: linkSignKey(at(0).chart).sk };
    for (const moment of ['the link is committed', 'the first sign was not up yet'] as const) {
      await link(at(0), at(2));
      let unique: readonly UniqueChange[] = [];
      let committed: Promise<void> | undefined;
      const slow = intercepted(store, async ({ name, send }) => {
        const answer = (await send()) as { Responses?: Record<string, { pk: string; sk: string }[]> };
        if (name !== 'BatchGet') return answer;
        if (moment === 'the link is committed') await (committed ??= commit(store, commitOf({ unique })));
        else
          for (const rows of Object.values(answer.Responses ?? {})) {
            const index = rows.findIndex(({ pk, sk }) => pk === first.pk && sk === first.sk);
            if (index >= 0) rows.splice(index, 1);
          }
        return answer;
      });
      const unlinking = await planUnlink(slow, end(at(0)), end(at(2)));
      await commit(store, commitOf({ unique: unlinking.changes }));
      unique = await planLink(store, at(0), at(1));

      await unlinking.takeDownSigns();

      if (moment !== 'the link is committed') await commit(store, commitOf({ unique }));
      expect({ moment, group: (await groups(0))[0] }).toEqual({ moment, group: [0, 1] });
      expect({ moment, signs: await signsOf(0) }).toEqual({ moment, signs: allSigns });
      await unlink(at(0), at(1));
    }
  });

  // A sign must not be missing where there is a link. Others link and unlink the same chart while it is linked, at every two moments.
  it('is there for every link, whoever takes signs down meanwhile', async () => {
    let calls = 0;
    const counting = intercepted(store, ({ send }) => {
      calls++;
      return send();
    });
    await commit(counting, commitOf({ unique: await planLink(counting, at(0), at(1)) }));
    await unlink(at(0), at(1));
    const outcomesSeen = new Set<boolean>();

    for (let first = 0; first < calls; first++) {
      for (let second = first; second < calls; second++) {
        let sent = 0;
        const others = async (behind: number) => {
          if (behind === first) await link(at(0), at(2));
          if (behind === second) await unlink(at(0), at(2));
        };
        let done = others(0);
        const interrupted = intercepted(store, async ({ send }) => {
          await done;
          const answer = await send();
          const own = ++sent;
          done = done.then(() => others(own));
          await done;
          return answer;
        });
        const linked = await planLink(interrupted, at(0), at(1))
          .then((unique) => commit(interrupted, commitOf({ unique })))
          .then(
            () => true,
            () => false,
          );

        if (sent < second) await unlink(at(0), at(2)); // it took fewer calls than alone
        outcomesSeen.add(linked);
        const moment = { first, second };
        expect({ ...moment, group: (await groups(0))[0] }).toEqual({ ...moment, group: linked ? [0, 1] : [] });
        if (linked) expect({ ...moment, signs: await signsOf(0) }).toEqual({ ...moment, signs: allSigns });
        await unlink(at(0), at(1));
      }
    }

    expect([...outcomesSeen].sort()).toEqual([false, true]);
  });
});

describe('a page of linked charts', () => {
  it('shows what is mentioned in one of them once, wherever it belongs, in pages of any size', async () => {
    const dated = (number: number, days: number) =>
      newRecord(store, at(number).chart, { place: store.ids.newPlace(Date.UTC(2026, 0, days)) });
    const records = [dated(0, 1), dated(1, 2), dated(2, 3), dated(2, 4), dated(1, 5), dated(0, 6)];
    const writes = records.map((next) => ({
      next,
      previous: undefined,
      ...pointerChanges(
        communication,
        { next },
        { next: [], previous: [], mentioned: { next: mentionedBy(next), previous: [] } },
      ),
    }));
    await commit(store, commitOf({ writes }));
    await link(at(0), at(1));

    for (const limit of [1, 2, 3, 50]) {
      const seen: string[] = [];
      let linked: readonly LinkedChart[] | undefined;
      for (let after: string | undefined; ; ) {
        const page = await linkedPage(store, at(0).chart, 'Observation', { mentions: true, limit, after }, linked);
        seen.push(...page.items.map(({ record: { id } }) => id));
        linked = page.linked;
        after = page.next;
        if (after === undefined) break;
      }
      expect({ limit, seen }).toEqual({ limit, seen: records.map(({ id }) => id).reverse() });
    }
  });

  /** The records of each chart refer to the next one: 1 to 0, and 2, which is not linked, to both. */
  const mentionedBy = ({ chart }: StoredRecord): string[] => {
    if (chart === at(1).chart) return [at(0).chart];
    return chart === at(2).chart ? [at(0).chart, at(1).chart] : [];
  };
});

describe('a link within a commit of any size', () => {
  /** A record with more rows that lead to it than a transaction takes, which are written together: each call is one to crash at. */
  const large = () => [{ next: newRecord(store, at(0).chart), puts: bulk(at(0).chart, 97) }];

  it('is there for all readers once that is decided, and not at all if its writer crashes before', async () => {
    let calls = 0;
    const work = (unique: readonly UniqueChange[]) => commitOf({ unique, writes: large() });
    const counting = intercepted(store, ({ send }) => {
      calls++;
      return send();
    });
    await commit(counting, work(await planLink(store, at(0), at(1))));
    const seen = new Set<string>();
    expect(calls).toBeGreaterThan(8);

    for (let n = 1; n <= calls; n++) {
      await unlink(at(0), at(1));
      const unique = await planLink(store, at(0), at(1));
      let sent = 0;
      const crashing = intercepted(store, ({ send }: Call) =>
        ++sent < n ? send() : Promise.reject(new Error('crash')),
      );
      await commit(crashing, work(unique)).catch(() => undefined);
      const before = await groups(0, 1);
      await sweepTransactions(store, Number.POSITIVE_INFINITY);

      expect({ n, after: await groups(0, 1) }).toEqual({ n, after: before });
      expect(before[0]).toEqual(before[1]);
      seen.add(JSON.stringify(before[0]));
      if (before[0]?.length === 0) await link(at(0), at(1));
    }

    expect([...seen].sort()).toEqual(['[0,1]', '[]']);
  });
});
