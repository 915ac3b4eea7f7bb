import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { seedPatients } from '../../infra/demo/seed-patients.ts';

/** A server without patients, which notes how many charts of each organisation are under way at once. */
const emptyServer = async () => {
  const running = new Map<string, number>();
  const most = new Map<string, number>();
  let written = 0;
  const server = createServer((request, response) => {
    const answer = () => response.end(JSON.stringify({ resourceType: 'Bundle', type: 'searchset', entry: [] }));
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
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, most, written: () => written };
};

describe('seedPatients', () => {
  it('writes the charts of an organisation one after the other, so that their appointments do not meet', async () => {
    const { url, most, written } = await emptyServer();

    await seedPatients(url, (organization) => Promise.resolve(organization), Date.UTC(2026, 10, 25, 12));

    expect(written()).toBe(20);
    expect(Object.fromEntries(most)).toEqual({ 'Bearer northside': 1, 'Bearer lakeside': 1 });
  });
});
