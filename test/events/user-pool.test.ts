import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type EventPattern, matchesPattern } from '../../infra/local/event-pattern.ts';
import { chartLog } from '../../shared/audit/audit-log.ts';
import { logNameOf } from '../../shared/audit/log-name.ts';
import { SignInLog } from '../../shared/audit/sign-ins.ts';
import { userLog } from '../../shared/audit/user-log.ts';
import { followUserPool, type UserPoolEvent } from '../../shared/audit/user-pool-events.ts';
import { log } from '../../shared/log.ts';
import { readDenials } from '../../shared/store/denylist.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { synthesised } from '../support/synthesised.ts';
import { testStore } from '../support/test-store.ts';

const folder = path.resolve(import.meta.dirname, '../../events/user-pool');
const files = readdirSync(folder).map((file) => path.basename(file, '.json'));
const pool = { userPoolId: 'us-east-1_Staff', clientIds: ['apps'] };
const sub = '8f14e45f-ceea-467f-a3d4-0b2c5d8e9f10';
const happened = Date.parse('2026-11-27T08:00:30Z');

const sample = (name: string, detail: Partial<UserPoolEvent['detail']> = {}): UserPoolEvent => {
  const event = JSON.parse(readFileSync(path.join(folder, `${name}.json`), 'utf8')) as UserPoolEvent;
  return { ...event, detail: { ...event.detail, ...detail } };
};

let store: RecordStore;
beforeEach(async () => {
  store = await testStore();
});
const follow = (event: UserPoolEvent, now = happened + 90_000) => followUserPool(store, event, pool, now);
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

describe('what CloudTrail tells of the user pool', () => {
  it('has a file for each event that is known here', () => {
    expect(files.toSorted()).toEqual(Object.keys(outcomes).toSorted());
  });

  it.each(Object.entries(outcomes))('%s has its outcome once, however often it comes', async (name, outcome) => {
    for (const now of [happened + 1_000, happened + 90_000]) await follow(sample(name), now);

    expect([await denied(), await signIns()]).toEqual(outcome);
  });

  it.each(Object.keys(outcomes))('%s is passed on by one rule of the stack', (name) => {
    const resources = synthesised().resources();
    const idOf = (type: string) => resources.find((each) => each.type === `AWS::Cognito::${type}`)?.id;
    const names: Record<string, string> = {
      [JSON.stringify({ Ref: idOf('UserPool') })]: JSON.stringify(pool.userPoolId),
      [JSON.stringify({ Ref: idOf('UserPoolClient') })]: JSON.stringify('apps'),
    };
    const patterns = resources
      .filter(({ part, type }) => part === 'signIn' && type === 'AWS::Events::Rule')
      .map(({ properties }) =>
        Object.entries(names).reduce(
          (text, [reference, value]) => text.replaceAll(reference, value),
          JSON.stringify(properties.EventPattern),
        ),
      )
      .map((text) => JSON.parse(text) as EventPattern);

    expect(patterns.filter((pattern) => matchesPattern(pattern, sample(name)))).toHaveLength(1);
    const elsewhere = { userPoolId: 'us-east-1_Other', clientId: 'other' };
    expect(
      patterns.filter((pattern) => matchesPattern(pattern, sample(name, { requestParameters: elsewhere }))),
    ).toEqual([]);
  });

  it('does nothing for a call that failed, of another pool or client, or that renews a token', async () => {
    await follow(sample('admin-disable-user', { errorCode: 'AccessDenied' }));
    await follow(sample('admin-disable-user', { requestParameters: { userPoolId: 'us-east-1_Other' } }));
    await follow(sample('failed-sign-in', { requestParameters: { clientId: 'other' } }));
    await follow(sample('failed-sign-in', { requestParameters: { clientId: 'apps', authFlow: 'REFRESH_TOKEN_AUTH' } }));

    expect([await denied(), await signIns()]).toEqual([[], []]);
  });

  it('fails where a user was ended and nothing says who, so that somebody notices', async () => {
    await expect(follow(sample('admin-delete-user', { additionalEventData: {} }))).rejects.toThrow('names no user');
  });

  it('tells of a failed sign-in who the user was at the last one, once a minute', async () => {
    const known = { subject: sub, name: 'nurse', client: 'apps', fhirUser: 'Practitioner/n-1', roles: ['nurse'] };
    const earlier = await SignInLog.open(store);
    await earlier.signedIn({ ...known, organization: 'northside' }, happened - 3_600_000, 'r-1');

    for (const eventTime of ['2026-11-27T08:00:30Z', '2026-11-27T08:00:31Z', '2026-11-27T08:01:00Z'])
      await follow(sample('failed-sign-in', { eventTime }));

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
    await follow(sample('failed-sign-in-of-nobody'));

    expect(counted.mock.calls).toEqual([['SignInsOfNobody']]);
    counted.mockRestore();
  });
});
