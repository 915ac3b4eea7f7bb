import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  type TokenEvent,
  withApplicationClaims,
  withPatientClaims,
  withStaffClaims,
} from '../../shared/access/token-claims.ts';
import { auditEvent } from '../../shared/audit/audit-event.ts';
import { chartLog, dayLog } from '../../shared/audit/audit-log.ts';
import { indexByDay } from '../../shared/audit/index-by-day.ts';
import { logNameOf } from '../../shared/audit/log-name.ts';
import { SignInLog } from '../../shared/audit/sign-ins.ts';
import { traceSignIn } from '../../shared/audit/trace-sign-in.ts';
import { userLog } from '../../shared/audit/user-log.ts';
import { applicationThatSignsIn, patientWhoSignsIn, staffWhoSignsIn } from '../../shared/audit/who-signs-in.ts';
import type { Application } from '../../shared/store/applications.ts';
import type { RecordStore } from '../../shared/store/record-store.ts';
import { insertEvent } from '../support/stream-events.ts';
import { allRows, intercepted, testStore } from '../support/test-store.ts';

const now = Date.UTC(2026, 10, 27, 8, 0, 30);
let store: RecordStore;
beforeEach(async () => {
  store = await testStore();
});

const tokenEvent = ({
  triggerSource = 'TokenGeneration_HostedAuth',
  groups = ['nurse'],
  attributes = { 'custom:organization': 'northside', 'custom:fhirUser': 'Practitioner/n-1' },
}: {
  triggerSource?: string;
  groups?: string[];
  attributes?: Record<string, string>;
} = {}): TokenEvent =>
  ({
    version: '3',
    triggerSource,
    userPoolId: 'us-east-1_Staff1234',
    userName: 'nurse@northside.org',
    callerContext: { clientId: 'apps' },
    request: {
      userAttributes: { sub: 'sub-1', ...attributes },
      groupConfiguration: { groupsToOverride: groups },
      scopes: [],
    },
    response: { claimsAndScopeOverrideDetails: {} },
  }) as unknown as TokenEvent;

const signIn = (event: TokenEvent, at = now, table: RecordStore = store) =>
  traceSignIn(
    table,
    event,
    { now: at, request: 'r-1' },
    { who: staffWhoSignsIn(event, {}), claims: (asked) => withStaffClaims(asked, {}) },
  );
const logOfUser = async () =>
  (await chartLog(store, logNameOf(store, userLog('sub-1')), undefined)).accesses.map(({ entry }) => entry);

describe('a sign-in', () => {
  it('stands in the log of the user before there is a token', async () => {
    const { response } = await signIn(tokenEvent());

    expect(response.claimsAndScopeOverrideDetails.accessTokenGeneration?.claimsToAddOrOverride).toMatchObject({
      organization: 'northside',
    });
    expect(await logOfUser()).toEqual([
      {
        at: expect.closeTo(now, -1) as number,
        interaction: 'sign-in',
        what: [],
        subject: 'sub-1',
        name: 'nurse@northside.org',
        client: 'apps',
        fhirUser: 'Practitioner/n-1',
        roles: ['nurse'],
        organization: 'northside',
        request: 'r-1',
      },
    ]);
  });

  it('gives no token where its row cannot be written', async () => {
    vi.stubEnv('DIGEST_BUCKET_NAME', ''); // another file's stack may have one, which would take the row
    onTestFinished(() => void vi.unstubAllEnvs());
    const broken = intercepted(store, async ({ name, send }) => {
      if (name === 'Put') throw Object.assign(new Error('denied'), { name: 'AccessDeniedException' });
      return send();
    });

    await expect(signIn(tokenEvent(), now, broken)).rejects.toThrow('denied');
  });

  it('is not one where its token is renewed', async () => {
    const calls: string[] = [];
    const counted = intercepted(store, ({ name, send }) => {
      calls.push(name);
      return send();
    });

    await signIn(tokenEvent({ triggerSource: 'TokenGeneration_RefreshTokens' }), now, counted);

    expect([calls, await logOfUser()]).toEqual([[], []]);
  });

  it('is filed by organisation and day, and reads as the login of DICOM', async () => {
    await signIn(tokenEvent());
    const rows = (await allRows(store)).filter(({ pk }) => pk.startsWith('A#'));
    await indexByDay(store.client, store.tableName, insertEvent(rows));

    const { accesses } = await dayLog(store, 'northside', '2026-11-27', undefined);

    expect(accesses.map((access) => auditEvent({ ...access, patient: undefined }))).toEqual([
      expect.objectContaining({
        type: expect.objectContaining({ code: '110114' }) as unknown,
        subtype: [expect.objectContaining({ code: '110122' }) as unknown],
        outcome: '0',
      }),
    ]);
  });

  it('of a patient stands in the own chart as well, whomever the application asks for', async () => {
    const chart = store.ids.newChart();
    const attributes = { 'custom:patient': chart, 'custom:fhirUser': `Patient/${chart}` };
    const event = tokenEvent({ groups: [], attributes });
    Object.assign(event.request, { clientMetadata: { patient: store.ids.newChart() } });

    const asking = { who: patientWhoSignsIn(event), claims: withPatientClaims };
    await traceSignIn(store, event, { now, request: 'r-1' }, asking);

    const { accesses } = await chartLog(store, chart, undefined);
    expect(accesses.map(({ entry }) => [entry.interaction, entry.what, entry.organization])).toEqual([
      ['sign-in', [`Patient/${chart}`], undefined],
    ]);
    expect(await logOfUser()).toHaveLength(1);
  });

  it('that is refused for what the pool says of the user leaves one row a minute', async () => {
    const refused = tokenEvent({ groups: ['federation'] });
    for (const at of [now, now + 1, now + 20_000, now + 30_000]) {
      await expect(signIn(refused, at)).rejects.toThrow('no group that is a role');
    }

    expect((await logOfUser()).map(({ outcome, roles }) => [outcome, roles])).toEqual([
      ['refused', []],
      ['refused', []],
    ]);
  });

  it('of an application by its own credentials stands in its log, under its name', async () => {
    const application: Application = {
      client: 'app-1',
      organization: 'northside',
      name: 'Laboratory feed',
      fhirUser: 'Device/feed',
      since: 0,
    };
    const event = tokenEvent({ triggerSource: 'TokenGeneration_ClientCredentials', groups: [], attributes: {} });
    const asking = {
      who: applicationThatSignsIn(application),
      claims: (asked: TokenEvent) => withApplicationClaims(asked, application),
    };

    await traceSignIn(store, event, { now, request: 'r-1' }, asking);

    const { accesses } = await chartLog(store, logNameOf(store, userLog('app-1')), undefined);
    expect(accesses.map(({ entry }) => entry)).toEqual([
      expect.objectContaining({
        name: 'Laboratory feed',
        client: 'app-1',
        fhirUser: 'Device/feed',
        roles: ['system'],
        organization: 'northside',
      }),
    ]);
  });

  it('of an application that nobody has entered leaves no row, for nobody knows whose it would be', async () => {
    const event = tokenEvent({ triggerSource: 'TokenGeneration_ClientCredentials', groups: [], attributes: {} });
    const asking = {
      who: applicationThatSignsIn(undefined),
      claims: (asked: TokenEvent) => withApplicationClaims(asked, undefined),
    };

    await expect(traceSignIn(store, event, { now, request: 'r-1' }, asking)).rejects.toThrow('Nothing says');
    expect((await allRows(store)).filter(({ pk }) => pk.startsWith('A#'))).toEqual([]);
  });

  it('tells who a user is, from the last one that told it', async () => {
    const log = await SignInLog.open(store);
    expect(await log.lastKnown('sub-1')).toBeUndefined();
    await signIn(tokenEvent());
    await signIn(tokenEvent({ groups: [], attributes: {} }), now + 60_000).catch(() => undefined);

    expect(await log.lastKnown('sub-1')).toMatchObject({
      organization: 'northside',
      fhirUser: 'Practitioner/n-1',
      roles: ['nurse'],
    });
  });
});
