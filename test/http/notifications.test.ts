import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Concord } from '../../infra/local/concord.ts';
import { newSigningSecret, verifySignature } from '../../shared/webhooks/signature.ts';
import { sharedConcord } from '../support/concord.ts';
import { consentBody } from '../support/consents.ts';
import { parameterOf } from '../support/delivery-world.ts';
import { patientBody } from '../support/records.ts';
import { filteredBy, signedWith, subscriptionBody, withContent } from '../support/subscriptions.ts';

let concord: Concord;
beforeAll(async () => {
  concord = await sharedConcord();
});

const system = 'system@northside.example';
const physician = 'physician@northside.example';
const neighbour = 'system@lakeside.example';

const call = async <T>(user: string, method: string, path: string, body?: object): Promise<T> => {
  const answer = await fetch(path.startsWith('http') ? path : `${concord.url}/${path}`, {
    method,
    headers: { authorization: `Bearer ${await concord.token(user)}`, 'content-type': 'application/fhir+json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
};
const create = <T extends { readonly resourceType: string }>(user: string, body: T) =>
  call<T & { readonly id: string }>(user, 'POST', body.resourceType, body);

const observation = (patient: string): fhir4.Observation => ({
  resourceType: 'Observation',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
  subject: { reference: patient },
  effectiveDateTime: '2026-11-20',
});

/** An endpoint on this machine that keeps what it is sent. */
const receiver = async () => {
  const received: { readonly headers: NodeJS.Dict<string | string[]>; readonly body: string; readonly at: number }[] =
    [];
  const answers = { status: 200 };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString(), at: Date.now() });
    response.writeHead(answers.status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}/hook`,
    received,
    answers,
    types: () => received.map(({ body }) => parameterOf(body, 'type')?.valueCode),
    /** Addresses of what all notifications were about. */
    told: () => received.flatMap(({ body }) => (JSON.parse(body) as fhir4.Bundle).entry?.slice(1) ?? []),
  };
};

describe('a Subscription', () => {
  it('is told of changes as they are made, signed, and what it is told of can be fetched in one call', async () => {
    const { endpoint, received, types, told } = await receiver();
    const secret = newSigningSecret();
    const { id } = await create(
      system,
      subscriptionBody({}, { endpoint, header: ['X-Token: abc'], ...signedWith(secret) }),
    );
    await concord.delivered();
    expect(await call(system, 'GET', `Subscription/${id}`)).toMatchObject({
      status: 'active',
      meta: { versionId: '2' },
    });

    const patient = await create(physician, patientBody());
    const made = await create(physician, observation(`Patient/${patient.id}`));
    await call(physician, 'PUT', `Observation/${made.id}`, { ...made, status: 'amended' });
    await concord.delivered();

    expect(types()[0]).toBe('handshake');
    expect(told().map(({ fullUrl, response }) => [fullUrl, response?.etag])).toEqual([
      [`${concord.url}/Observation/${made.id}`, 'W/"1"'],
      [`${concord.url}/Observation/${made.id}`, 'W/"2"'],
    ]);
    expect(await call(system, 'GET', told()[1]?.fullUrl ?? '')).toMatchObject({ status: 'amended' });
    for (const { headers, body, at } of received) {
      expect(verifySignature(secret, headers, body, at)).toEqual({ id: headers['webhook-id'] });
      expect(headers).toMatchObject({ 'x-token': 'abc', 'content-type': 'application/fhir+json' });
    }
    // The events of the bus have the ids that the entries have.
    const ids = concord.events().map(({ event }) => (event.detail as { readonly eventId?: string }).eventId);
    for (const entry of told()) expect(ids).toContain(entry.id);
  });

  it('is told of records of other organisations while the patient lets it, and no longer', async () => {
    const { endpoint, told } = await receiver();
    const patient = await create(physician, patientBody());
    const reference = `Patient/${patient.id}`;
    const criteria = { criteria: 'Observation?code=8867-4' };
    await create(neighbour, subscriptionBody(criteria, { endpoint, ...withContent('full-resource') }));
    await concord.delivered();
    await create(physician, observation(reference));
    await concord.delivered(); // who may know of it is decided as it is published
    const consent = await create(physician, consentBody(reference));
    const shared = await create(physician, observation(reference));
    await concord.delivered();
    await call(physician, 'PUT', `Consent/${consent.id}`, { ...consent, status: 'inactive' });
    await create(physician, observation(reference));
    await concord.delivered();

    expect(told().map(({ resource }) => resource?.id)).toEqual([shared.id]);
    expect(told()[0]?.resource).toMatchObject({ status: 'final', subject: { reference } });
  });

  it('is in error where its endpoint refuses the handshake, and begins anew once it is written anew', async () => {
    const { endpoint, answers, types } = await receiver();
    answers.status = 500;
    const body = { ...subscriptionBody({}, { endpoint }), ...filteredBy('status=final') };
    const made = await create(system, body);
    await concord.delivered();
    expect(await call(system, 'GET', `Subscription/${made.id}`)).toMatchObject({ status: 'error' });

    answers.status = 200;
    await call(system, 'PUT', `Subscription/${made.id}`, { ...body, id: made.id });
    await concord.delivered();

    expect(await call(system, 'GET', `Subscription/${made.id}`)).toMatchObject({ status: 'active' });
    expect(types()).toEqual(['handshake', 'handshake']);
  });
});
