import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { seedPatients } from '../../infra/demo/seed-patients.ts';

const noon = Date.UTC(2026, 10, 25, 12);

/** A server which finds these patients by identifier, and notes how many charts of each organisation are under way at once. */
const serverWith = async (isKnown: (identifier: string) => boolean) => {
  const running = new Map<string, number>();
  const most = new Map<string, number>();
  const asked: string[] = [];
  let written = 0;
  const server = createServer((request, response) => {
    const identifier = new URL(request.url ?? '', 'http://127.0.0.1').searchParams.get('identifier');
    const found = identifier !== null && isKnown(identifier);
    const entry = found ? [{ resource: { resourceType: 'Patient', id: identifier } }] : [];
    const answer = () => response.end(JSON.stringify({ resourceType: 'Bundle', type: 'searchset', entry }));
    if (identifier !== null) asked.push(identifier);
    if (request.method !== 'POST') return answer();
    const organization = String(request.headers.authorization);
    const now = (running.get(organization) ?? 0) + 1;
    running.set(organization, now);
    most.set(organization, Math.max(most.get(organization) ?? 0, now));
    request.resume().on('end', () => {
      // Whoever comes at the same time has come by then.
      setImmediate(() => {
        running.set(organization, (running.get(organization) ?? 0) - 1);
        written += 1;
        answer();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, most, asked, written: () => written };
};

describe('seedPatients', () => {
  it('writes the charts of an organisation one after the other, so that their appointments do not meet', async () => {
    const { url, most, written } = await serverWith(() => false);

    await seedPatients(url, (organization) => Promise.resolve(organization), noon);

    expect(written()).toBe(20);
    expect(Object.fromEntries(most)).toEqual({ 'Bearer northside': 1, 'Bearer lakeside': 1 });
  });

  it('writes what is not there yet alone, and nothing twice', async () => {
    const whole = await serverWith(() => true);
    await seedPatients(whole.url, (organization) => Promise.resolve(organization), noon);
    const [missing] = whole.asked;
    const partial = await serverWith((identifier) => identifier !== missing);

    await seedPatients(partial.url, (organization) => Promise.resolve(organization), noon);

    expect(new Set(whole.asked).size).toBe(20);
    expect(whole.written()).toBe(0);
    expect(partial.written()).toBe(1);
  });
});
