import { beforeAll, describe, expect, it } from 'vitest';
import { type OrganizationWorld, organizationWorld } from '../bench/search-worlds.ts';
import { nextLinkOf } from '../support/records.ts';

// Of what no index serves, all charts are read: https://hl7.org/fhir/R4/search.html#count
let world: OrganizationWorld;
beforeAll(async () => {
  world = await organizationWorld(1_000);
});

describe('counting what is in many charts', () => {
  it('is exact in a thousand of them, ten read at once', async () => {
    const { server, token } = world;
    server.calls.reset();

    const { status, body } = await server.get('Observation?_summary=count', { token });

    expect([status, body.total, body.entry?.length]).toEqual([200, 1_001, 1]); // the entry says that no index serves it
    expect(server.calls.sequential()).toBeLessThanOrEqual(130);
  });

  it('is exact beside a page that ends before it has found anything', async () => {
    const { server, token } = world;

    const { status, body } = await server.get('Observation?code=nobody-has-it&_total=accurate', { token });

    expect([status, body.total, body.entry?.length]).toEqual([200, 0, 1]);
    expect(nextLinkOf(body)).toBeDefined();
  });

  it('is refused beyond, rather than wrong, and the parameter is named that asked for it', async () => {
    const { server, token } = await organizationWorld(2_000);

    for (const asking of ['_summary=count', '_count=0', '_total=accurate&_count=1', '_total=accurate&code=none']) {
      const { status, body } = await server.get(`Observation?${asking}`, { token });

      expect(status).toBe(400);
      expect(body.issue).toMatchObject([{ code: 'too-costly', expression: [asking.split('=')[0]] }]);
    }
  });
});
