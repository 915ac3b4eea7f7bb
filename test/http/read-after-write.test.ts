import { beforeAll, describe, expect, it } from 'vitest';
import { inParallel } from '../../shared/store/in-parallel.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import {
  allPages,
  create,
  identifierSystem,
  numberedPatient,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  type Stored,
} from '../support/records.ts';
import { runTogether } from '../support/together/run.ts';
import { kinds } from '../support/together/searches.ts';

const creates = 200;
const lanes = 16;
const numbers = Array.from({ length: creates }, (_, n) => n);

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

const found = async (query: string): Promise<string[]> => resourcesIn((await server.get(query)).body).map(referenceTo);

describe(`${creates} creates in ${lanes} lanes`, () => {
  it('are each found at once by read and by every kind of search: patients', async () => {
    const missed: string[] = [];

    await inParallel(lanes, numbers, async (n) => {
      const patient = await create(server, numberedPatient(`number-${n}`, { name: [{ family: `Family${n}` }] }));
      const reference = referenceTo(patient);
      expect((await server.get(pathOf(patient))).body).toEqual(patient);
      for (const query of [
        `_id=${patient.id}`,
        `identifier=${identifierSystem}|number-${n}`,
        `family:exact=Family${n}`,
      ]) {
        if (!(await found(`Patient?${query}`)).includes(reference)) missed.push(query);
      }
    });

    expect(missed).toEqual([]);
  });

  it('are each found at once by read and by every kind of search: observations of one chart', async () => {
    const patient = await create(server, patientBody());
    const missed: number[] = [];

    const made = await inParallel(lanes, numbers, async (n): Promise<Stored<fhir4.Observation>> => {
      const observation = await create(
        server,
        observationBody(referenceTo(patient), {
          identifier: [{ system: identifierSystem, value: `observation-${n}` }],
          effectiveDateTime: new Date(Date.UTC(2020, 0, 1 + n)).toISOString(),
        }),
      );
      const reference = referenceTo(observation);
      const day = observation.effectiveDateTime?.slice(0, 10);
      expect((await server.get(pathOf(observation))).status).toBe(200);
      for (const query of [`patient=${patient.id}&date=${day}`, `identifier=${identifierSystem}|observation-${n}`]) {
        if (!(await found(`Observation?${query}`)).includes(reference)) missed.push(n);
      }
      return observation;
    });

    expect(missed).toEqual([]);
    const pages = await allPages(server, `Observation?patient=${patient.id}`);
    const newestFirst = [...made].sort((a, b) => ((a.effectiveDateTime ?? '') < (b.effectiveDateTime ?? '') ? 1 : -1));
    expect(pages.flatMap(resourcesIn).map(referenceTo)).toEqual(newestFirst.map(referenceTo));
  });
});

describe('writers and readers of the same charts', () => {
  // `npm run prove -- --minute` goes on for longer, over HTTP.
  const [writers, writesEach] = [3, 6];

  it('meet: each acknowledged write is in the next search of every kind, what is deleted is in none', async () => {
    const own = await fhirServer();
    const ask = (method: string, path: string, body?: unknown) => own.request(method, path, { body });

    const run = await runTogether(ask, {
      seed: 7,
      writers,
      readers: 1,
      staged: false,
      goesOn: (writes) => writes < writesEach,
    });

    expect(run.faults).toEqual([]);
    expect([...run.searches.keys()].sort()).toEqual([...kinds.map(({ name }) => name), 'a count'].sort());
    expect(run.writes).toBeGreaterThan(writers * writesEach);
  });
});
