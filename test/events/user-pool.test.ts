import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type EventPattern, matchesPattern } from '../../infra/local/event-pattern.ts';
import { failedSignIn, userEnded } from '../../infra/local/pool-events.ts';
import { chartLog } from '../../shared/audit/audit-log.ts';
import { logNameOf } from '../../shared/audit/log-name.ts';
import { SignInLog } from '../../shared/audit/sign-ins.ts';
import { userLog } from '../../shared/audit/user-log.ts';
import { type CalledEvent, followUserPool } from '../../shared/audit/user-pool-events.ts';
import { log } from '../../shared/log.ts';
import { readDenials } from '../../shared/store/denylist.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { synthesised } from '../support/synthesised.ts';
import { testStore } from '../support/test-store.ts';

const folder = path.resolve(import.meta.dirname, '../../events/user-pool');
const files = readdirSync(folder).map((file) => path.basename(file, '.json'));
const pools = { staff: 'us-east-1_Staff', patients: 'us-east-1_Patients' };
const sub = '8f14e45f-ceea-467f-a3d4-0b2c5d8e9f10';
const happened = Date.parse('2026-11-27T08:00:30Z');

const sample = (name: string): unknown => JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8'));
const called = (name: string, detail: Partial<CalledEvent['detail']> = {}): CalledEvent => {
  const event = sample(name) as CalledEvent;
  return { ...event, detail: { ...event.detail, ...detail } };
};

interface Line {
  readonly message: Record<string, unknown>;
}
interface Lines {
  readonly logEvents: readonly { timestamp: number; message: string }[];
}
const linesOf = (event: unknown): Lines => {
  const { data } = (event as { awslogs: { data: string } }).awslogs;
  return JSON.parse(gunzipSync(Buffer.from(data, 'base64')).toString()) as Lines;
};
/** The sample with other words in its line, and perhaps at another time. */
const logged = (message: Record<string, unknown> = {}, timestamp?: number) => {
  const lines = linesOf(sample('failed-sign-in'));
  const logEvents = lines.logEvents.map((each) => {
    const line = JSON.parse(each.message) as Line;
    const changed = JSON.stringify({ ...line, message: { ...line.message, ...message } });
    return { ...each, timestamp: timestamp ?? each.timestamp, message: changed };
  });
  return { awslogs: { data: gzipSync(JSON.stringify({ ...lines, logEvents })).toString('base64') } };
};

let store: RecordStore;
beforeEach(async () => {
  store = await testStore();
});
const follow = (event: unknown, now = happened + 90_000) => followUserPool(store, event, pools, now);
const denied = () => readDenials(store.client, store.tableName);
const signIns = async () =>
  (await chartLog(store, logNameOf(store, userLog(sub)), undefined)).accesses.map(({ entry }) => entry);

const ended = { kind: 'subject', name: sub, before: happened + 999 };
const failed = expect.objectContaining({ interaction: 'sign-in', outcome: 'failed', subject: sub, client: 'apps' });
/** What becomes of each file of the folder: who is denied, and what stands in the user's log. */
const outcomes: Readonly<Record<string, readonly [denied: readonly unknown[], log: readonly unknown[]]>> = {
  'admin-disable-user': [[ended], []],
  'admin-user-global-sign-out': [[ended], []],
  'admin-delete-user': [[ended], []],
  'failed-sign-in': [[], [failed]],
  'failed-sign-in-of-nobody': [[], []],
};
const calls = Object.keys(outcomes).filter((name) => name.startsWith('admin-'));

describe('what is told of the user pools', () => {
  it('has a file for each event that is known here', () => {
    expect(files.toSorted()).toEqual(Object.keys(outcomes).toSorted());
  });

  it.each(Object.entries(outcomes))('%s has its outcome once, however often it comes', async (name, outcome) => {
    for (const now of [happened + 1_000, happened + 90_000]) await follow(sample(name), now);

    expect([await denied(), await signIns()]).toEqual(outcome);
  });

  it.each(calls)('%s is passed on by the one rule of the stack, of either pool and no other', (name) => {
    const resources = synthesised().resources();
    const [rule, ...more] = resources.filter(({ part, type }) => part === 'signIn' && type === 'AWS::Events::Rule');
    const named = resources
      .filter(({ type }) => type === 'AWS::Cognito::UserPool')
      .map(({ id }) => JSON.stringify({ Ref: id }));
    const text = Object.values(pools).reduce(
      (pattern, id, at) => pattern.replace(named[at] ?? '', JSON.stringify(id)),
      JSON.stringify(rule?.properties.EventPattern),
    );
    const pattern = JSON.parse(text) as EventPattern;
    const matches = (userPoolId: string) =>
      matchesPattern(pattern, called(name, { requestParameters: { userPoolId } }));

    expect(more).toEqual([]);
    expect([...Object.values(pools), 'us-east-1_Other'].map(matches)).toEqual([true, true, false]);
  });

  it('does nothing for a call that failed, or of another pool', async () => {
    await follow(called('admin-disable-user', { errorCode: 'AccessDenied' }));
    await follow(called('admin-disable-user', { requestParameters: { userPoolId: 'us-east-1_Other' } }));

    expect(await denied()).toEqual([]);
  });

  it('does nothing for what is logged of another pool, of other events, or of who got in', async () => {
    await follow(logged({ userPoolId: 'us-east-1_Other' }));
    await follow(logged({ eventType: 'ForgotPassword' }));
    await follow(logged({ eventResponse: 'Pass' }));
    await follow(logged({ eventResponse: 'InProgress' }));

    expect(await signIns()).toEqual([]);
  });

  it('hears of patients, and reads events as the log spells them', async () => {
    await follow(logged({ userPoolId: pools.patients, eventType: 'SIGN_IN', eventResponse: 'FAIL' }));

    expect(await signIns()).toEqual([failed]);
  });

  it('fails where a user was ended and nothing says who, so that somebody notices', async () => {
    await expect(follow(called('admin-delete-user', { additionalEventData: {} }))).rejects.toThrow('names no user');
  });

  it('tells of a failed sign-in who the user was at the last one, once a minute', async () => {
    const known = { subject: sub, name: 'nurse', client: 'apps', fhirUser: 'Practitioner/n-1', roles: ['nurse'] };
    const earlier = await SignInLog.open(store);
    await earlier.signedIn({ ...known, organization: 'northside' }, happened - 3_600_000, 'r-1');

    for (const later of [0, 1_000, 30_000]) await follow(logged({}, happened + later));

    expect((await signIns()).map(({ outcome, organization, name }) => [outcome, organization, name])).toEqual([
      ['failed', 'northside', 'nurse'],
      ['failed', 'northside', 'nurse'],
      [undefined, 'northside', 'nurse'],
    ]);
  });

  it('tells its own time where it comes late, as a row that is older than its writing looks inserted', async () => {
    const late = happened + 3_600_000;
    await follow(sample('failed-sign-in'), late);

    expect((await signIns()).map(({ at }) => at)).toEqual([late - (late % 60_000)]);
  });

  it('counts who is nobody, and names nothing', async () => {
    const counted = vi.spyOn(log, 'count').mockReturnValue(undefined);
    for (const userSub of ['', null]) await follow(logged({ userSub, userName: 'my-password' }));
    await follow(sample('failed-sign-in-of-nobody'));

    expect(counted.mock.calls).toEqual(Array(3).fill(['SignInsOfNobody']));
    expect(linesOf(sample('failed-sign-in-of-nobody')).logEvents[0]?.message).toContain('my-password');
    counted.mockRestore();
  });

  it('is told by the local pools in the same shape', async () => {
    await follow(failedSignIn(pools.staff, 'apps', sub, happened));
    await follow(userEnded('AdminDisableUser', pools.staff, sub, happened));

    expect([await denied(), await signIns()]).toEqual([[ended], [failed]]);
  });
});
