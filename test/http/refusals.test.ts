import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { usualPolicy } from '../../shared/access/policy.ts';
import { chartLog } from '../../shared/audit/audit-log.ts';
import { logNameOf } from '../../shared/audit/log-name.ts';
import { userLog } from '../../shared/audit/user-log.ts';
import { serveRecords } from '../../shared/http/serve-records.ts';
import { log } from '../../shared/log.ts';
import { observation } from '../../shared/record-types/observation.ts';
import type { TestCaller } from '../support/callers.ts';
import { type LocalTable, localTable } from '../support/dynamodb.ts';
import { type FhirServer, fhirServer, proxyEvent } from '../support/fhir-server.ts';
import { intercepted } from '../support/test-store.ts';

const now = Date.UTC(2026, 10, 27, 8, 0, 30);
let table: LocalTable;
let server: FhirServer;
beforeAll(async () => {
  table = await localTable();
  server = await fhirServer(table);
  server.setTime(now);
});

/** Somebody of the role whom no other test knows. */
let people = 0;
const somebody = (role: string, more: Partial<TestCaller> = {}) => {
  const sub = `sub-${++people}`;
  return { sub, as: { role, ...more, claims: { sub } } };
};
const told = async (sub: string) => {
  const { accesses } = await chartLog(server.store, logNameOf(server.store, userLog(sub)), undefined);
  return accesses.map(({ id, entry }) => ({ id, ...entry }));
};
const codeOf = (body: unknown) => (body as fhir4.OperationOutcome).issue[0]?.details?.coding?.[0]?.code;

describe('a request that is refused for its whole type', () => {
  it('leaves a row with its code, which tells nothing of what was asked', async () => {
    const { sub, as } = somebody('frontdesk');

    const refused = await server.get('Observation?patient=somebody&code=secret', { as });

    expect([refused.status, codeOf(refused.body)]).toEqual([403, 'forbidden-role']);
    const [row, ...others] = await told(sub);
    expect(others).toEqual([]);
    expect(row).toMatchObject({
      interaction: 'search-type',
      what: [],
      query: 'Observation',
      refusal: 'forbidden-role',
    });
    expect(JSON.stringify(row)).not.toMatch(/secret|somebody/);
    const event = await server.get(`AuditEvent/${row?.id}`, { as: { role: 'privacy' } });
    expect(event.body).toMatchObject({ outcome: '4', outcomeDesc: 'Refused: forbidden-role' });
  });

  it('leaves one row a user, code, type and minute, and asks the table once a process', async () => {
    const { sub, as } = somebody('frontdesk');
    const again = async (asked: FhirServer, path: string) => {
      asked.calls.reset();
      await asked.get(path, { as });
      return asked.calls.names;
    };
    const other = await fhirServer(table);
    other.setTime(now + 10_000);

    const calls = [
      await again(server, 'Observation/1'),
      await again(server, 'Observation/2'),
      await again(other, 'Observation/1'),
      await again(server, 'Condition/1'),
    ];
    server.setTime(now + 60_000);
    calls.push(await again(server, 'Observation/1'));
    server.setTime(now);

    expect(calls).toEqual([['PutItem'], [], ['PutItem'], ['PutItem'], ['PutItem']]);
    expect((await told(sub)).map(({ query }) => query).toSorted()).toEqual(['Condition', 'Observation', 'Observation']);
  });

  it('leaves its row where a scope, or a type that nobody writes, is in the way', async () => {
    const { sub, as } = somebody('nurse', { scope: 'user/Patient.rs user/AuditEvent.cruds' });

    await server.put('Observation/1', { resourceType: 'Observation' }, { as });
    await server.post('AuditEvent', { resourceType: 'AuditEvent' }, { as });

    expect((await told(sub)).map(({ interaction, refusal }) => `${interaction} ${refusal}`).toSorted()).toEqual([
      'create read-only-type',
      'update forbidden-scope',
    ]);
  });

  it('leaves its row from within a batch', async () => {
    const { sub, as } = somebody('frontdesk');
    const entry = ['Observation/1', 'Observation/2', 'Condition?code=secret', 'Location?_count=1'].map((url) => ({
      request: { method: 'GET', url },
    }));

    await server.post('', { resourceType: 'Bundle', type: 'batch', entry }, { as });

    const rows = await told(sub);
    expect(rows.map(({ interaction, query }) => `${interaction} ${query}`).toSorted()).toEqual([
      'read Observation',
      'search-type Condition',
    ]);
    expect(JSON.stringify(rows)).not.toContain('secret');
  });

  it('stands in the own chart of a patient, and in nobody’s of who asks for another', async () => {
    const chart = server.store.ids.newChart();
    const own = somebody('patient', { patient: chart });
    const another = somebody('patient', { patient: chart });
    const acting = { ...another.as, claims: { ...another.as.claims, fhirUser: 'RelatedPerson/r' } };

    await server.delete('Observation/1', { as: own.as });
    await server.get(`Observation?patient=${chart}`, { as: acting });

    const { accesses } = await chartLog(server.store, chart, undefined);
    expect(accesses.map(({ entry }) => [entry.subject, entry.interaction])).toEqual([[own.sub, 'delete']]);
    expect((await told(another.sub)).map(({ refusal }) => refusal)).toEqual(['forbidden-proxy']);
  });

  it('is a fault where its row cannot be written', async () => {
    vi.stubEnv('DIGEST_BUCKET_NAME', ''); // another file's stack may have one, which would take the row
    onTestFinished(() => void vi.unstubAllEnvs());
    const store = intercepted(server.store, async ({ name, send }) => {
      if (name === 'Put') throw Object.assign(new Error('denied'), { name: 'AccessDeniedException' });
      return send();
    });
    const frontdesk = {
      subject: 's',
      name: 'f',
      client: 'c',
      organization: 'northside',
      scopes: [],
      patient: undefined,
    };
    const handler = serveRecords([observation], {}, () => ({
      verify: async () => ({ ...frontdesk, roles: ['frontdesk'], fhirUser: 'Practitioner/f' }),
      store: async () => store,
      now: () => now,
      policy: usualPolicy,
      programmes: () => new Set(),
    })) as unknown as (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

    const { statusCode } = await handler(proxyEvent('GET', 'Observation/1', {}, undefined), {} as Context);

    expect(statusCode).toBe(500);
  });

  it('is counted, and leaves no row, where nobody is known to ask', async () => {
    const counted = vi.spyOn(log, 'count').mockReturnValue(undefined);
    server.calls.reset();

    const { status } = await server.get('Observation/1', { token: '' });

    expect([status, counted.mock.calls, server.calls.names]).toEqual([401, [['TokensRefused']], []]);
    counted.mockRestore();
  });
});
