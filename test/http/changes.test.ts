import { beforeAll, describe, expect, it } from 'vitest';
import { logNameOf } from '../../shared/audit/log-name.ts';
import type { RecordChanged } from '../../shared/changes/record-changed.ts';
import { sweepPurges } from '../../shared/store/sweep-purges.ts';
import { batchOf, getEntry } from '../support/bundles.ts';
import type { TestCaller } from '../support/callers.ts';
import { consentBody, organizationsThere } from '../support/consents.ts';
import { type FollowedServer, fileRecords, followedServer } from '../support/feed.ts';
import { base, type TestBody } from '../support/fhir-server.ts';
import {
  create,
  elsewhere,
  encounterBody,
  entriesOf,
  issuesOf,
  linkOf,
  observationBody,
  organizationBody,
  pathOf,
  patientBody,
  referenceTo,
  type Stored,
  system,
} from '../support/records.ts';

const there: TestCaller = { ...system, organization: 'lakeside' };

let server: FollowedServer;
let patient: Stored<fhir4.Patient>;
beforeAll(async () => {
  server = await followedServer();
  await organizationsThere(server, ['northside', 'lakeside']);
  patient = await create(server, patientBody());
  await server.file();
});

const linked = (body: TestBody, relation: 'next' | 'poll') => linkOf(body, relation)?.slice(base.length + 1);
const poll = async (path: string, as: TestCaller = system) => {
  const { status, body } = await server.get(path, { as });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};
/** Where to ask on behind all that was told. */
const nowOf = async (as: TestCaller = system, asked = '') =>
  linked(await poll(`_changes?after=now${asked}`, as), 'poll') ?? '';
const told = (...pages: readonly TestBody[]): string[] =>
  pages.flatMap(entriesOf).map(({ request, response, fullUrl }) => {
    const { method } = request as unknown as { method: string };
    return `${method} ${String(fullUrl).slice(base.length + 1)} ${String(response?.etag).slice(3, -1)}`;
  });
/** Reads on until nothing follows. */
const readOn = async (path: string, as: TestCaller = system) => {
  const pages: TestBody[] = [];
  for (let next: string | undefined = path; next !== undefined; next = linked(pages.at(-1) as TestBody, 'next')) {
    pages.push(await poll(next, as));
  }
  return { told: told(...pages), pages, after: linked(pages.at(-1) as TestBody, 'poll') ?? '' };
};
const subject = () => referenceTo(patient);

describe('GET /_changes', () => {
  it('tells which records changed, in the order of telling, and nothing of what they say', async () => {
    const from = await nowOf();
    const observation = await create(server, observationBody(subject()));
    await server.put(pathOf(observation), { ...observation, status: 'amended' });
    await server.put('Observation/chosen-by-client', { ...observation, id: 'chosen-by-client' });
    await server.delete(pathOf(observation));
    await server.file();

    const body = await poll(from);

    const name = referenceTo(observation);
    expect(body).toMatchObject({ resourceType: 'Bundle', type: 'history' });
    expect(told(body).filter((each) => each.includes(name))).toEqual([
      `POST ${name} 1`,
      `PUT ${name} 2`,
      `DELETE ${name} 3`,
    ]);
    expect(told(body)).toContain('PUT Observation/chosen-by-client 1');
    expect(Object.keys(entriesOf(body)[0] ?? {}).sort()).toEqual(['fullUrl', 'id', 'request', 'response']);
    expect(linkOf(body, 'next')).toBeUndefined();
  });

  it('has nothing new at the link to ask on from, and then only what came since', async () => {
    const from = await nowOf();
    const nothing = await poll(from);
    const created = await create(server, encounterBody(subject()));
    await server.file();
    const { told: first, after } = await readOn(from);

    expect(nothing).not.toHaveProperty('entry');
    expect(linked(nothing, 'poll')).toBe(from);
    expect(first).toEqual([`POST ${referenceTo(created)} 1`]);
    expect((await readOn(after)).told).toEqual([]);
    expect((await readOn('_changes')).told).toEqual(expect.arrayContaining(first));
  });

  it('names each by the id that its event on the bus has', async () => {
    const from = await nowOf();
    await create(server, observationBody(subject()));
    await create(server, organizationBody(), { role: 'admin' });
    const before = server.bus.accepted.length;
    await server.file();

    const body = await poll(from);

    const events = server.bus.accepted.slice(before).map(({ Detail = '' }) => JSON.parse(Detail) as RecordChanged);
    expect(events.map(({ recipient }) => recipient).sort()).toEqual(['*', 'northside']);
    expect(entriesOf(body).map(({ id }) => id)).toEqual(expect.arrayContaining(events.map(({ eventId }) => eventId)));
  });

  it('tells what others keep and share, as long as they do, and the directory to all', async () => {
    const chart = await create(server, patientBody());
    const consent = await create(server, consentBody(referenceTo(chart)));
    await server.file();
    const from = await nowOf(there);
    const observation = await create(server, observationBody(referenceTo(chart)));
    const hidden = await create(server, observationBody(subject()));
    const organization = await create(server, organizationBody(), { role: 'admin' });
    const own = await create(server, patientBody(), elsewhere);
    await server.file();

    const shared = (await readOn(from, there)).told;
    await server.put(pathOf(consent), { ...consent, status: 'inactive' });
    const closed = await readOn(from, there);
    await server.put(pathOf(consent), { ...consent, status: 'active' });
    const open = (await readOn(from, there)).told;
    await server.file();

    const [ofShared, ofAll, ofOwn] = [observation, organization, own].map((each) => `POST ${referenceTo(each)} 1`);
    expect(shared.toSorted()).toEqual([ofShared, ofAll, ofOwn].toSorted());
    expect(closed.told.toSorted()).toEqual([ofAll, ofOwn].toSorted());
    expect(open).toEqual(shared);
    expect(JSON.stringify(closed.pages)).not.toContain(hidden.id);
  });

  it('pages by _count, and says that more follows only where something that may be shown does', async () => {
    const from = await nowOf(system, '&_count=2');
    const made = [];
    for (let n = 0; n < 5; n++) made.push(await create(server, observationBody(subject())));
    await create(server, encounterBody(subject()));
    await server.file();

    const all = await readOn(from);
    const { pages, told: some } = await readOn(`${from}&_type=Observation,Patient`);

    expect(all.pages.map((page) => entriesOf(page).length)).toEqual([2, 2, 2]);
    expect(pages.map((page) => entriesOf(page).length)).toEqual([2, 2, 1]);
    expect(some.toSorted()).toEqual(made.map((each) => `POST ${referenceTo(each)} 1`).toSorted());
    expect(all.told).toEqual(expect.arrayContaining(some));
  });

  it('tells a role no more than the types that it may read', async () => {
    const frontdesk: TestCaller = { role: 'frontdesk' };
    const from = await nowOf(frontdesk);
    await create(server, observationBody(subject()));
    await server.put(pathOf(patient), { ...patient, birthDate: '1981-02-03' });
    await server.file();

    const body = await poll(from, frontdesk);

    expect(told(body)).toEqual([expect.stringMatching(/^PUT Patient/)]);
    expect((await server.get(`${from}&_type=Observation`, { as: frontdesk })).status).toBe(403);
  });

  it('says up to when all is told, and that it is not known', async () => {
    const own = await followedServer();
    const unknown = await own.get('_changes', { as: system });
    await create(own, patientBody());
    const now = Date.now();
    await own.beat(now);

    const known = await own.get('_changes', { as: system });

    expect(unknown.body.meta).toEqual({
      _lastUpdated: { extension: [expect.objectContaining({ valueCode: 'unknown' })] },
    });
    expect(known.body.meta?.lastUpdated).toBe(new Date(now - 60_000).toISOString());
    expect(entriesOf(known.body)).toHaveLength(1);
  });

  it('misses no change that comes out of the stream later than others', async () => {
    const from = await nowOf();
    const early = await create(server, observationBody(subject()));
    const heldUp = await server.streamed();
    const late = await create(server, observationBody(subject()));
    await server.file();
    const { told: first, after } = await readOn(from);
    await fileRecords(server.store, heldUp);

    const { told: then } = await readOn(after);

    expect(first).toEqual([`POST ${referenceTo(late)} 1`]);
    expect(then).toEqual([`POST ${referenceTo(early)} 1`]);
  });

  it('leaves a trace in each chart of which something is shown, and of a poll that shows nothing', async () => {
    const from = await nowOf();
    const observation = await create(server, observationBody(subject()));
    await server.file();

    await poll(from);
    await poll(await nowOf());

    const traced = (await server.streamed()).map(({ dynamodb }) => dynamodb?.NewImage?.pk?.S ?? '');
    const ofOwn = `A#${logNameOf(server.store, 'northside')}`;
    const events = await server.get(`AuditEvent?patient=${patient.id}`, { as: { role: 'privacy' } });
    expect(traced.filter((pk) => /^A#[^#]+$/.test(pk))).toEqual([`A#${patient.id}`, ofOwn, ofOwn]);
    expect(JSON.stringify(events.body)).toContain(`${observation.id}/_history/1`);
  });

  it('costs a poll five calls one after the other, whatever it finds, and one less where nothing is new', async () => {
    const from = await nowOf();
    server.calls.reset();
    await poll(from);
    const idle = [[...server.calls.names].sort(), server.calls.sequential()];
    await create(server, observationBody(subject()));
    await create(server, observationBody(subject()));
    await server.file();
    server.calls.reset();
    await poll(from);

    // How far the feed is, both sequences; the rows of the feed, the versions; the trace.
    expect(idle).toEqual([['PutItem', 'Query', 'Query', 'Query'], 3]);
    expect([[...server.calls.names].sort(), server.calls.sequential()]).toEqual([
      ['BatchGetItem', 'BatchGetItem', 'PutItem', 'Query', 'Query', 'Query'],
      5,
    ]);
  });

  it('is an entry of a batch like any other', async () => {
    const from = await nowOf();
    const { body } = await server.post('', batchOf(getEntry(from)), { as: system });

    const [entry] = entriesOf(body);
    expect(entry?.response?.status).toBe('200 OK');
    expect(entry?.resource).toMatchObject({ resourceType: 'Bundle', type: 'history' });
  });
});

describe('the purge of a chart', () => {
  const at = async <T>(time: number, work: () => Promise<T>): Promise<T> => {
    server.setTime(time);
    try {
      return await work();
    } finally {
      server.setTime(undefined);
    }
  };

  it('is told to the system of who kept it, of each record, before its rows are removed and behind that, and to nobody else', async () => {
    const { chart, observation } = await at(Date.UTC(2000, 0, 1), async () => {
      const patient = await create(server, patientBody({ birthDate: '1950-01-01' }));
      const body = observationBody(referenceTo(patient), { effectiveDateTime: '2000-01-01' });
      return { chart: patient, observation: await create(server, body) };
    });
    await server.file();
    const [from, fromThere] = [await nowOf(), await nowOf(there)];
    const before = server.bus.accepted.length;
    await at(Date.UTC(2026, 10, 1), async () => {
      const body = { resourceType: 'Parameters', parameter: [{ name: 'reason', valueString: 'Its time is over' }] };
      expect((await server.post(`${pathOf(chart)}/$purge`, body, { as: { role: 'privacy' } })).status).toBe(200);
    });
    await server.file();

    const events = server.bus.accepted.slice(before).map(({ Detail = '' }) => JSON.parse(Detail) as RecordChanged);
    const purged = [chart, observation].map((each) => `DELETE ${referenceTo(each)} 2`);
    for (const step of ['hidden', 'removed']) {
      const { told: here, pages } = await readOn(from);

      expect(here.toSorted(), step).toEqual(purged.toSorted());
      expect(
        pages
          .flatMap(entriesOf)
          .map(({ id }) => String(id))
          .toSorted(),
        step,
      ).toEqual(events.map(({ eventId }) => eventId).toSorted());
      const all = (await readOn('_changes')).told.filter((each) => each.includes(observation.id));
      expect(all, step).toEqual([purged[1]]);
      expect((await readOn(fromThere, there)).told, step).toEqual([]);
      // Nothing is left by which it could be decided for these.
      expect((await readOn(from, { role: 'nurse' })).told, step).toEqual([]);
      const narrowed = await readOn(from, { ...system, scope: 'system/Observation.rs?status=final' });
      expect(narrowed.told, step).toEqual([]);
      const { body } = await server.get('_history?_count=200', { as: system });
      expect(
        entriesOf(body).map(({ fullUrl }) => fullUrl),
        step,
      ).not.toContain(`${base}/${referenceTo(observation)}`);
      await sweepPurges(server.store);
    }
    const log = (await server.streamed()).map(({ dynamodb }) => dynamodb?.NewImage?.pk?.S ?? '');
    expect(log).toContain(`A#${chart.id}`);
  });
});

describe('what GET /_changes refuses', () => {
  const refusal = async (path: string, as: TestCaller = system) => {
    const { status, body } = await server.get(path, { as });
    return [status, issuesOf(body)[0]?.reason];
  };

  it.each([
    '_changes?after=',
    '_changes?after=1',
    '_changes?after=7.0-1.0',
    '_changes?after=1.0-1.0%20OR%201',
    '_changes?after=99999999999.0.aaaaa-1.0',
    `_changes?after=${'9'.repeat(40)}`,
    '_changes?after=now&after=1.0-1.0',
    '_changes?_type=Nothing',
    '_changes?_type=AuditEvent',
    '_changes?_type=',
    '_changes?_count=many',
    '_changes?_since=2026',
    '_changes?_page=x',
  ])('with 400: %s', async (path) => {
    expect((await refusal(path))[0]).toBe(400);
  });

  it('with 410 a cursor ahead of the end, or of another past', async () => {
    const [, own, ofNetwork] = /after=(.*)-(.*)$/.exec(await nowOf()) ?? [];
    const [row, taken, mark] = own?.split('.') ?? [];

    for (const place of [`${Number(row) + 1}.${taken}.${mark}`, `${row}.3.${mark}`, `${row}.0.vvvvv`]) {
      expect(await refusal(`_changes?after=${place}-${ofNetwork}`)).toEqual([410, 'cursor-lost']);
    }
    expect(await refusal(`_changes?after=${own}-9999999999.0.${mark}`)).toEqual([410, 'cursor-lost']);
  });

  it('shows with a made-up cursor, or one of another organisation, no more than without one', async () => {
    const all = (await readOn('_changes', there)).told;
    const [, ofNetwork] = /after=.*-(.*)$/.exec(await nowOf()) ?? [];

    expect((await readOn(`_changes?after=1.0-${ofNetwork}`, there)).told.every((each) => all.includes(each))).toBe(
      true,
    );
    expect((await refusal(await nowOf(), there))[0]).toBe(410);
  });

  it('to a patient, to whom nobody tells anything', async () => {
    expect(await refusal('_changes', { role: 'patient', patient: patient.id })).toEqual([403, 'forbidden-role']);
  });

  it('to be written', async () => {
    const { status, headers } = await server.post('_changes', {}, { as: system });

    expect([status, headers?.allow ?? headers?.Allow]).toEqual([405, 'GET, HEAD']);
  });
});

describe('polling while records change', () => {
  it('shows each version once or again with its id, versions of a record in order, and none is missed', async () => {
    const own = await followedServer();
    const writers = 4;
    let writing = true;
    const told: { readonly id: string; readonly name: string; readonly version: number }[] = [];
    const publish = async () => {
      for (let last = false; !last; ) {
        last = !writing;
        await own.file();
      }
      published = true;
    };
    let published = false;
    const polling = async () => {
      let path = '_changes?_count=5';
      for (let last = false; !last; ) {
        last = published;
        const { status, body } = await own.get(path, { as: system });
        expect(status).toBe(200);
        for (const { id, fullUrl, response } of entriesOf(body)) {
          told.push({ id: String(id), name: String(fullUrl), version: Number(String(response?.etag).slice(3, -1)) });
        }
        path = linked(body, 'poll') ?? '';
        last &&= linked(body, 'next') === undefined;
      }
    };
    const write = async () => {
      const record = await create(own, patientBody());
      const names = [`${base}/${referenceTo(record)}`];
      const updates = async () => {
        for (let n = 2; n <= 4; n++) {
          const { status } = await own.put(pathOf(record), { ...record, birthDate: `198${n}-01-01` });
          expect(status).toBe(200);
        }
      };
      const others = async () => {
        for (let n = 0; n < 3; n++) {
          names.push(`${base}/${referenceTo(await create(own, observationBody(referenceTo(record))))}`);
        }
      };
      await Promise.all([updates(), others()]);
      return names;
    };
    const following = [publish(), polling()];

    const names = (await Promise.all(Array.from({ length: writers }, write))).flat();
    writing = false;
    await Promise.all(following);

    for (const name of names) {
      const versions = told.filter((each) => each.name === name);
      const once = [...new Map(versions.map(({ id, version }) => [id, version])).values()];
      expect(once).toEqual(name.includes('/Patient/') ? [1, 2, 3, 4] : [1]);
    }
    expect(new Set(told.map(({ name }) => name)).size).toBe(names.length);
  });
});
