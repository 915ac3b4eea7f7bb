import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { type LayoutsOfRelease, layoutsIn, layoutsText, releases, unreadBy } from '../../infra/releases.ts';
import project from '../../package.json' with { type: 'json' };
import { delegationCode, verifiedCallsCode } from '../../shared/access/delegation.ts';
import { auditPointer, auditRow, copiedEntry, entryOf, type StoredAuditRow } from '../../shared/audit/audit-row.ts';
import { type LinkRow, linkIn, linkRow } from '../../shared/audit/chain/link.ts';
import {
  type DisclosureRow,
  disclosureLayouts,
  disclosureRow,
  type SuspensionRow,
  suspensionLayouts,
  suspensionRow,
} from '../../shared/audit/disclosure-rows.ts';
import { parseJson, stringifyJson } from '../../shared/fhir/json.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { delegationRows } from '../../shared/record-types/delegation-rows.ts';
import {
  type ActorScheduleRow,
  actorScheduleLayouts,
  actorScheduleRow,
} from '../../shared/store/actor-schedule-rows.ts';
import { type ApplicationRow, applicationLayouts, applicationRow } from '../../shared/store/applications.ts';
import { packBody, referenceTo, unpackBody } from '../../shared/store/body.ts';
import { type CalendarChange, changesByDay, type DayRow, dayBasics, dayFrom } from '../../shared/store/calendar.ts';
import { callRow } from '../../shared/store/calls.ts';
import { type CallRow, callLayouts, type DelegationRow, delegationLayouts } from '../../shared/store/delegations.ts';
import {
  type DenialRow,
  denialLayouts,
  denialRow,
  programmeLayouts,
  programmeRow,
} from '../../shared/store/denylist.ts';
import { deriveKeys } from '../../shared/store/deployment-key.ts';
import { type DirectiveRow, directiveLayouts, directiveRow } from '../../shared/store/directive-rows.ts';
import { type DoorRow, doorLayouts, doorRow } from '../../shared/store/door-rows.ts';
import type { RecordChange } from '../../shared/store/feed/change.ts';
import { changesOf, type FeedRow, feedRows } from '../../shared/store/feed/feed-rows.ts';
import { type ParkedRow, parkedLayouts, parkedRow } from '../../shared/store/feed/parked-charts.ts';
import { type PassedOverRow, passedOverLayouts, passedOverRow } from '../../shared/store/feed/passed-over.ts';
import {
  type ReconciliationRow,
  reconciliationLayouts,
  reconciliationRow,
} from '../../shared/store/feed/reconciliation-walk.ts';
import { entryOf as entryOfSequence, type SequenceRow, sequenceRow } from '../../shared/store/feed/sequence-rows.ts';
import { type ToldSightsRow, toldSightsLayouts, toldSightsRow } from '../../shared/store/feed/told-sights.ts';
import { IdCodec } from '../../shared/store/ids.ts';
import { type KeepingRow, keepingLayouts, keepingRow } from '../../shared/store/keeping.ts';
import { auditKey, referralKey, requestKey } from '../../shared/store/keys.ts';
import { Layouts, WrittenByNewerRelease } from '../../shared/store/layouts.ts';
import { type ProxyRow, proxyLayouts, proxyRow } from '../../shared/store/proxy-rows.ts';
import { type PurgeWalkRow, purgeWalkLayouts, purgeWalkRow } from '../../shared/store/purge-walk.ts';
import { packRedo, type Redo, unpackRedo } from '../../shared/store/redo-log.ts';
import {
  type RemindedToRow,
  type ReminderRow,
  remindedToLayouts,
  remindedToRow,
  reminderLayouts,
  reminderRow,
} from '../../shared/store/reminder-rows.ts';
import { type RequestKeyRow, requestKeyLayouts, requestKeyRow } from '../../shared/store/request-keys.ts';
import {
  addressOf,
  type PointerRow,
  pointerRow,
  type RecordRow,
  recordFrom,
  recordRow,
  type StoredRecord,
  targetOf,
} from '../../shared/store/rows.ts';
import {
  type NotificationRow,
  notificationLayouts,
  notificationRow,
} from '../../shared/store/subscriptions/notifications.ts';
import {
  type SubscriptionSettings,
  type SubscriptionSettingsRow,
  settingsLayouts,
  settingsRow,
} from '../../shared/store/subscriptions/settings.ts';
import { newState, type SubscriptionStateRow, stateLayouts, stateRow } from '../../shared/store/subscriptions/state.ts';

const root = path.resolve(import.meta.dirname, '../..');
const folder = path.join(root, 'test/layouts');
const ids = new IdCodec(deriveKeys(new Uint8Array(32)).ids);

interface Fixture {
  // Each kind of row knows its own shape.
  readonly stored: Readonly<Record<string, never>>;
  readonly read: unknown;
}

const chart = ids.newChart();
const record: StoredRecord = {
  type: 'Basic',
  chart,
  place: ids.newPlace(0),
  id: 'chosen',
  version: 1,
  updated: 0,
  custodian: 'northside',
  labels: [],
  resource: { resourceType: 'Basic' },
};
/** The same, with another date. */
const moved: StoredRecord = { ...record, shown: ids.movedPlace(record.place, 86_400_000) };
/** The same, as a psychotherapy note. */
const sealed: StoredRecord = { ...moved, originators: ['Practitioner/sample'] };
/** The same, naming one. */
const naming: StoredRecord = { ...moved, notes: { 'Composition/sample': ['Practitioner/sample'] } };

/** The same, out of the wrong chart. */
const misfiled: StoredRecord = { ...moved, misfiled: true };

const accessTo = (what: readonly string[]) =>
  auditRow(ids, auditKey(chart, ids.newPlace(0)), {
    at: 0,
    interaction: 'read',
    what,
    subject: '',
    name: '',
    client: '',
    fhirUser: '',
    roles: [],
    organization: 'northside',
    request: '',
  });
const accessRow = accessTo([]);
/** Of so many records that their places stand for their ids. */
const longAccessRow = accessTo(Array.from({ length: 20 }, () => `Basic/${ids.idAt(chart, ids.newPlace(0))}`));

const change: RecordChange = { ...record, change: 'created' };

const bookedDay: CalendarChange = {
  owner: 'Appointment/1',
  gives: [],
  takes: [{ actor: 'Practitioner/1', from: 0, to: 1, label: '' }],
};

/** Bytes come in base 64. */
const rowIn = (stored: Fixture['stored']) =>
  unmarshall(
    JSON.parse(JSON.stringify(stored), (key, value: unknown) =>
      key === 'B' ? Buffer.from(String(value), 'base64') : value,
    ) as never,
  );
/** As the fixture writes them: bytes and sets as lists. */
const withoutBytesAndSets = (steps: readonly Redo[]): unknown =>
  JSON.parse(
    JSON.stringify(steps, function (this: Record<string, unknown>, key: string, value: unknown) {
      const given = this[key];
      return given instanceof Uint8Array || given instanceof Set ? [...(given as Iterable<unknown>)] : value;
    }),
  );
const text = (resource: Resource | undefined) => resource && stringifyJson(resource);

/** By kind: how what was stored is read, and the layouts in which this release writes. */
const kinds: Readonly<Record<string, { read: (stored: Fixture['stored']) => unknown; written: () => unknown }>> = {
  body: {
    read: ({ chart: home = '', bytes = '', object }) =>
      text(unpackBody(Buffer.from(bytes, 'base64'), home, object && Buffer.from(object, 'base64')).resource),
    written: () => {
      const packed = packBody({ resourceType: 'Basic' }, chart);
      return [packed[0], referenceTo(packed, chart)[0]];
    },
  },
  record: {
    read: (stored) => {
      const row = rowIn(stored) as RecordRow;
      const address = addressOf(row);
      const found = address && recordFrom(row, address, ids);
      return { ...found, resource: text(found?.resource) };
    },
    written: () => [record, moved, sealed, naming, misfiled].map((version) => recordRow(version, ids).layout),
  },
  redo: {
    read: ({ bytes = '' }) => withoutBytesAndSets(unpackRedo(Buffer.from(bytes, 'base64'))),
    written: () => packRedo([])[0],
  },
  pointer: {
    // The first layout's fixture tells the home alone: the place is the pointer's own.
    read: (stored) => {
      const row = rowIn(stored) as PointerRow;
      const target = targetOf(row);
      return target?.place === addressOf(row)?.place ? target?.chart : target;
    },
    written: () => [record, moved].map((version) => pointerRow(version, ids.newChart()).layout),
  },
  access: {
    read: (stored) => entryOf(rowIn(stored) as StoredAuditRow, ids),
    written: () => [accessRow, longAccessRow].map(({ layout }) => layout),
  },
  accessByDay: {
    // A pointer says nothing but where its row is.
    read: (stored) => copiedEntry(rowIn(stored) as StoredAuditRow) ?? null,
    written: () => auditPointer(accessRow)?.layout,
  },
  calendar: {
    read: (stored) => {
      const { owners, quarters } = dayFrom(rowIn(stored) as DayRow);
      return { owners: Object.fromEntries(owners), quarters: Object.fromEntries(quarters) };
    },
    written: () => changesByDay([bookedDay]).map((day) => dayBasics(day).layout)[0],
  },
  schedule: {
    read: (stored) => {
      const row = rowIn(stored) as ActorScheduleRow;
      return actorScheduleLayouts.reader(row.layout)(row);
    },
    written: () => actorScheduleRow('Practitioner/p1', 'x', { services: [], rules: [] }).layout,
  },
  delegation: {
    read: (stored) => {
      const row = rowIn(stored) as DelegationRow;
      return delegationLayouts.reader(row.layout)(row);
    },
    written: () =>
      [[delegationCode], [delegationCode, verifiedCallsCode]].flatMap((coding) =>
        delegationRows(
          {
            next: {
              ...record,
              type: 'PractitionerRole',
              resource: {
                resourceType: 'PractitionerRole',
                code: [{ coding }],
                practitioner: { reference: 'Practitioner/1' },
                period: { end: '1970-01-02' },
              } as unknown as Resource,
            },
            previous: undefined,
          },
          { baseUrl: '', byPatient: false, byProxy: false, administrator: 'Practitioner/2' },
        ).puts.map(({ layout }) => layout),
      ),
  },
  call: {
    read: (stored) => {
      const row = rowIn(stored) as CallRow;
      return callLayouts.reader(row.layout)(row);
    },
    written: () => callRow('northside', 'Practitioner/1', chart, 0).layout,
  },
  reminder: {
    read: (stored) => {
      const row = rowIn(stored) as ReminderRow;
      return reminderLayouts.reader(row.layout)(row);
    },
    written: () =>
      reminderRow({ organization: 'northside', id: 'x', version: 1, at: 0 }, { start: 0, minutes: 60 }).layout,
  },
  remindedTo: {
    read: (stored) => {
      const row = rowIn(stored) as RemindedToRow;
      return remindedToLayouts.reader(row.layout)(row);
    },
    written: () => remindedToRow(0).layout,
  },
  programme: {
    read: (stored) => {
      const row = rowIn(stored) as DenialRow;
      return programmeLayouts.reader(row.layout)(row);
    },
    written: () => programmeRow('Organization/x').layout,
  },
  application: {
    read: (stored) => {
      const row = rowIn(stored) as ApplicationRow;
      return applicationLayouts.reader(row.layout)(row);
    },
    written: () => applicationRow({ client: 'x', organization: 'x', name: 'x', fhirUser: 'Device/x', since: 0 }).layout,
  },
  denial: {
    read: (stored) => {
      const row = rowIn(stored) as DenialRow;
      return denialLayouts.reader(row.layout)(row);
    },
    written: () => denialRow({ kind: 'subject', name: 'x', before: 0 }).layout,
  },
  directive: {
    read: (stored) => {
      const row = rowIn(stored) as DirectiveRow;
      return directiveLayouts.reader(row.layout)(row);
    },
    written: () => directiveRow(record, {}).layout,
  },
  door: {
    read: (stored) => {
      const row = rowIn(stored) as DoorRow;
      return doorLayouts.reader(row.layout)(row);
    },
    written: () => [
      doorRow(referralKey(record), 1, { kind: 'referral', custodian: 'northside', to: [] }).layout,
      doorRow(referralKey(record), 1, { kind: 'visit', custodian: 'northside', seen: 0, began: 0 }).layout,
    ],
  },
  disclosure: {
    read: (stored) => {
      const row = rowIn(stored) as DisclosureRow;
      return disclosureLayouts.reader(row.layout)(row);
    },
    written: () => disclosureRow(chart, ids.newPlace(0), ids.newPlace(0)).layout,
  },
  keeping: {
    read: (stored) => {
      const row = rowIn(stored) as KeepingRow;
      return keepingLayouts.reader(row.layout)(row);
    },
    written: () => keepingRow(chart, { state: 'held', custodian: '', at: 0 }).layout,
  },
  purgeWalk: {
    read: (stored) => {
      const row = rowIn(stored) as PurgeWalkRow;
      return purgeWalkLayouts.reader(row.layout)(row);
    },
    written: () => purgeWalkRow({ organization: '', after: undefined }).layout,
  },
  parked: {
    read: (stored) => {
      const row = rowIn(stored) as ParkedRow;
      return parkedLayouts.reader(row.layout)(row);
    },
    written: () => parkedRow({ chart, reason: 'unreadable', since: 0, from: 0, skipped: 0, tried: 0 }).layout,
  },
  passedOver: {
    read: (stored) => {
      const row = rowIn(stored) as PassedOverRow;
      return passedOverLayouts.reader(row.layout)(row);
    },
    written: () => passedOverRow({ organization: '', change }).layout,
  },
  toldSights: {
    read: (stored) => {
      const row = rowIn(stored) as ToldSightsRow;
      return toldSightsLayouts.reader(row.layout)(row);
    },
    written: () => toldSightsRow(chart).layout,
  },
  reconciliation: {
    read: (stored) => {
      const row = rowIn(stored) as ReconciliationRow;
      return reconciliationLayouts.reader(row.layout)(row);
    },
    written: () => reconciliationRow({ begun: 0, from: 0, to: 0, gaps: [], next: undefined }).layout,
  },
  suspension: {
    read: (stored) => {
      const row = rowIn(stored) as SuspensionRow;
      return suspensionLayouts.reader(row.layout)(row);
    },
    written: () => suspensionRow(chart, ids.newPlace(0), { until: 0, statement: '' }).layout,
  },
  chain: {
    read: (stored) => linkIn(rowIn(stored) as LinkRow),
    written: () => linkRow({ log: chart, number: 1, previous: '', upTo: '1', at: 0, covers: [] }).layout,
  },
  feed: {
    read: (stored) => changesOf(rowIn(stored) as FeedRow),
    written: () => feedRows([change])[0]?.layout,
  },
  sequence: {
    read: (stored) => entryOfSequence(rowIn(stored) as SequenceRow),
    written: () => sequenceRow({ changes: [change] }).layout,
  },
  proxy: {
    read: (stored) => {
      const row = rowIn(stored) as ProxyRow;
      return proxyLayouts.reader(row.layout)(row);
    },
    written: () =>
      proxyRow('x', {
        kind: 'emancipation',
        since: 0,
        recorded: { at: 0, by: 'Practitioner/1', organization: 'northside', evidence: {} },
      }).layout,
  },
  subscriptionSettings: {
    read: (stored) => {
      const row = rowIn(stored) as SubscriptionSettingsRow;
      const { secrets, ...said } = settingsLayouts.reader(row.layout)(row);
      return { ...said, secrets: secrets && Buffer.from(secrets).toString() };
    },
    written: () => settingsRow({ organization: 'northside', id: 'x' } as SubscriptionSettings).layout,
  },
  subscriptionState: {
    read: (stored) => {
      const row = rowIn(stored) as SubscriptionStateRow;
      return stateLayouts.reader(row.layout)(row);
    },
    written: () => stateRow(newState({ organization: 'northside', id: 'x' })).layout,
  },
  notification: {
    read: (stored) => {
      const row = rowIn(stored) as NotificationRow;
      return notificationLayouts.reader(row.layout)(row);
    },
    written: () =>
      notificationRow({
        organization: 'northside',
        id: 'x',
        first: 1,
        made: 0,
        changes: [change],
        status: 'pending',
        attempts: 0,
      }).layout,
  },
  requestKey: {
    read: (stored) => {
      const row = rowIn(stored) as RequestKeyRow;
      return requestKeyLayouts.reader(row.layout)(row);
    },
    written: () => requestKeyRow(requestKey('x'), { request: '', answers: [] }, 0).layout,
  },
};

const fixtures = globSync('*.json', { cwd: folder }).sort();
const fixtureOf = (kind: string, layout: unknown): Fixture =>
  JSON.parse(readFileSync(path.join(folder, `${kind}-${String(layout)}.json`), 'utf8')) as Fixture;

/** Every table of layouts in the source, found by its making, so that a new kind of row cannot be forgotten here. */
const tables = await Promise.all(
  globSync('shared/**/*.ts', { cwd: root, exclude: ['shared/fhir/generated/**'] })
    .filter((file) => readFileSync(path.join(root, file), 'utf8').includes(' new Layouts<'))
    .map(async (file) => Object.values((await import(path.join(root, file))) as object)),
).then((modules) => modules.flat().filter((value) => value instanceof Layouts));

/** What this source reads and writes: the highest layout of each kind. */
const ofSource: LayoutsOfRelease = {
  reads: Object.fromEntries(tables.map(({ kind, known }) => [kind, Math.max(...known.map(Number))])),
  writes: Object.fromEntries(
    Object.entries(kinds).map(([kind, { written }]) => [kind, Math.max(...[written()].flat().map(Number))]),
  ),
};

describe('layouts of releases', () => {
  const last = releases.at(-1);

  it('are told for this one as its source reads and writes them', () => {
    const sorted = ({ reads, writes }: LayoutsOfRelease) => ({
      reads: Object.entries(reads).sort(),
      writes: Object.entries(writes).sort(),
    });

    expect(last && sorted(last)).toEqual(sorted(ofSource));
    expect(last?.release).toBe(project.version);
  });

  it('are read by the release before the one that writes them, and never forgotten', () => {
    for (const [index, next] of releases.entries()) {
      const before = releases[index - 1];
      if (!before) continue;
      expect(unreadBy(before, next)).toEqual([]);
      expect(unreadBy(next, { writes: before.reads })).toEqual([]);
    }
  });

  it('are those that a reader knows: what is written and not read is named, and a kind of row that is new holds up nobody', () => {
    const reader = { reads: { record: 5, body: 3 } };

    expect(unreadBy(reader, { writes: { record: 5, body: 2 } })).toEqual([]);
    expect(unreadBy(reader, { writes: { record: 6, body: 3 } })).toEqual(['record in layout 6, of which 5 is read']);
    expect(unreadBy(reader, { writes: { shelf: 1 } })).toEqual([]);
  });

  it('go through an output of a stack and back', () => {
    expect(layoutsIn(layoutsText(ofSource.reads))).toEqual(ofSource.reads);
    expect(layoutsText(ofSource.reads).length).toBeLessThanOrEqual(1_024); // what CloudFormation takes
    expect(layoutsIn(undefined)).toBeUndefined();
  });
});

describe('layouts of rows', () => {
  it('are told for every kind, and each has its fixtures', () => {
    const known = tables.flatMap(({ kind, known: layouts }) => layouts.map((layout) => `${kind}-${layout}.json`));

    expect(Object.keys(kinds).sort()).toEqual(tables.map(({ kind }) => kind).sort());
    expect(fixtures).toEqual(known.sort());
  });

  it.each(Object.entries(kinds))('of a %s: what is written is read, and has a fixture', (kind, { written }) => {
    for (const layout of [written()].flat()) {
      expect(fixtures).toContain(`${kind}-${String(layout)}.json`);
      expect(tables.find((table) => table.kind === kind)?.known).toContain(layout);
    }
  });

  it.each(fixtures)('%s says what it said when it was stored', (name) => {
    const [, kind = '', layout = ''] = /^(\w+)-(\d+)\.json$/.exec(name) ?? [];
    const { stored, read } = fixtureOf(kind, layout);

    expect(kinds[kind]?.read(stored)).toEqual(read);
  });

  it('are refused by name where a newer release wrote them', () => {
    const newer = { ...recordRow(record, ids), layout: 99 };

    expect(() => recordFrom(newer, record, ids)).toThrow(WrittenByNewerRelease);
    expect(() => recordFrom(newer, record, ids)).toThrow('record is of layout 99, written by a newer release');
    expect(() => targetOf({ ...pointerRow(record, chart), layout: 99 })).toThrow(WrittenByNewerRelease);
    expect(() => unpackBody(Uint8Array.of(99, 1, 2, 3), chart)).toThrow(WrittenByNewerRelease);
    expect(() => entryOf({ ...accessRow, layout: 99 }, ids)).toThrow(WrittenByNewerRelease);
    expect(() => copiedEntry({ ...accessRow, layout: 99 })).toThrow(WrittenByNewerRelease);
    expect(() => changesOf({ pk: 'F#x#0', sk: 'x', layout: 99, changes: '[]' })).toThrow(WrittenByNewerRelease);
    expect(() => dayFrom({ pk: 'S#x', sk: 'day', layout: 99, expires: 0 })).toThrow(WrittenByNewerRelease);
  });

  it('are kept in files that nobody edits', () => {
    const sums = fixtures.map((name) => {
      const digest = createHash('sha256')
        .update(readFileSync(path.join(folder, name)))
        .digest('hex');
      return `${digest}  ${name}`;
    });

    expect(`${sums.join('\n')}\n`).toBe(readFileSync(path.join(folder, 'SHA256SUMS'), 'utf8'));
  });

  it('keep the spelling of decimals and the references of their chart', () => {
    const { read } = fixtureOf('body', 2);

    expect(stringifyJson(parseJson(String(read)))).toBe(read);
    expect(read).toMatch(/"value":72\.50,.*$/);
  });
});
