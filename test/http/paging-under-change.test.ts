import { beforeEach, describe, expect, it } from 'vitest';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';
import { Random } from '../support/naive-search/random.ts';
import {
  create,
  encounterBody,
  identifierSystem,
  linkOf,
  nextLinkOf,
  observationBody,
  pathOf,
  patientBody,
  referenceTo,
  resourcesIn,
  system,
} from '../support/records.ts';

let server: FhirServer;
// each test has a table of its own, so that a walk is through its records alone
beforeEach(async () => {
  server = await fhirServer();
});

/** Records that one search finds, each of them somewhere else in its order. */
interface Crowd {
  readonly path: string;
  /** Another one, drawn to stand anywhere. */
  readonly make: (random: Random) => Promise<fhir4.FhirResource>;
}

/** What the records of a test have in common. */
const crowd = 'crowd';
const crowdCode = { system: 'http://acme.org/crowds', code: crowd };

const words = ['Abel', 'Bert', 'Cora', 'Dora', 'Emil', 'Fritz', 'Gerd', 'Hans', 'Ida', 'Jan'];
const anyDay = (random: Random): string => new Date(Date.UTC(2020, 0, 1 + random.below(1_500))).toISOString();

/** An observation of this patient that only this crowd has. */
const observed = (random: Random, subject: string): fhir4.Observation =>
  observationBody(subject, {
    code: { coding: [crowdCode] },
    identifier: [{ system: identifierSystem, value: crowd }],
    effectiveDateTime: anyDay(random),
    valueQuantity: { value: random.below(4), unit: 'mg', system: 'http://unitsofmeasure.org', code: 'mg' },
  });

const newPatient = async (elements: Partial<fhir4.Patient> = {}): Promise<string> =>
  referenceTo(await create(server, patientBody(elements), system));

/** In one chart. */
const inChart = (query: string) => async (): Promise<Crowd> => {
  const patient = await newPatient();
  return { path: `Observation?patient=${patient}&${query}`, make: async (random) => observed(random, patient) };
};

/** In many charts, some of them new. */
const acrossCharts = (query: string) => async (): Promise<Crowd> => {
  const patients = [await newPatient(), await newPatient(), await newPatient()];
  return {
    path: `Observation?${query}`,
    make: async (random) => {
      if (random.chance(0.3)) patients.push(await newPatient());
      return observed(random, random.of(patients));
    },
  };
};

const plans: Readonly<Record<string, () => Promise<Crowd>>> = {
  'in a chart': inChart(''),
  'in a chart, filtered': inChart('status=final'),
  'in a chart, sorted': inChart('_sort=value-quantity,-date'),
  'in two charts': async () => {
    const patients = [await newPatient(), await newPatient()];
    return {
      path: `Observation?patient=${patients.join()}`,
      make: async (random) => observed(random, random.of(patients)),
    };
  },
  'by a reference': async () => {
    const patient = await newPatient();
    const encounter = referenceTo(await create(server, encounterBody(patient), system));
    return {
      path: `Observation?encounter=${encounter}`,
      make: async (random) => ({ ...observed(random, patient), encounter: { reference: encounter } }),
    };
  },
  'by identifiers': acrossCharts(`identifier=${identifierSystem}|${crowd}`),
  'by a walk through all charts': acrossCharts(`code=http://acme.org/crowds|${crowd}`),
  'by a walk, sorted': acrossCharts(`code=http://acme.org/crowds|${crowd}&_sort=-date`),
  'by the registry of patients': async () => ({
    path: `Patient?family=${crowd}`,
    make: async (random) =>
      patientBody({ name: [{ family: `${crowd}${random.of(words)}`, given: [random.of(words)] }] }),
  }),
  'by the registry of patients, by two values': async () => ({
    path: `Patient?family=${crowd}a,${crowd}h`,
    make: async (random) =>
      patientBody({ name: [{ family: `${crowd}${random.of(['Abel', 'Hans', 'Adam', 'Hugo'])}` }] }),
  }),
  'by the registry of the directory': async () => ({
    path: `Practitioner?name=${crowd}`,
    make: async (random) => ({
      resourceType: 'Practitioner',
      name: [{ family: `${crowd}${random.of(words)}`, given: [random.of(words)] }],
    }),
  }),
  'by a walk through the directory': async () => ({
    path: `Organization?type=http://acme.org/crowds|${crowd}`,
    make: async (random) => ({
      resourceType: 'Organization',
      name: random.of(words),
      type: [{ coding: [crowdCode] }],
    }),
  }),
  'through a chain': async () => {
    const patients = [await newPatient({ name: [{ family: crowd }] }), await newPatient({ name: [{ family: crowd }] })];
    return {
      path: `Observation?patient.family=${crowd}`,
      make: async (random) => observed(random, random.of(patients)),
    };
  },
  'in a compartment': async () => {
    const patient = await newPatient();
    return { path: `${patient}/Observation?status=final`, make: async (random) => observed(random, patient) };
  },
  'in a compartment, across types': async () => {
    const patient = await newPatient();
    return {
      path: `${patient}/*?_type=Observation,Encounter`,
      make: async (random) =>
        random.chance(0.5) ? observed(random, patient) : encounterBody(patient, { period: { start: anyDay(random) } }),
    };
  },
  'across types': async () => {
    const patients = [await newPatient(), await newPatient()];
    return {
      path: '?_type=Observation,Encounter,Organization&identifier=http://concord.test/number|crowd',
      make: async (random) => {
        const identifier = [{ system: identifierSystem, value: crowd }];
        if (random.chance(0.3)) return { resourceType: 'Organization', name: random.of(words), identifier };
        const patient = random.of(patients);
        return random.chance(0.5) ? observed(random, patient) : encounterBody(patient, { identifier });
      },
    };
  },
  'in order of time': async () => {
    const doctor = referenceTo(await create(server, { resourceType: 'Practitioner' } as fhir4.Practitioner, system));
    return {
      path: `Appointment?actor=${doctor}&date=ge2020`,
      make: async (random) => {
        const start = anyDay(random);
        const end = new Date(Date.parse(start) + 600_000).toISOString();
        const participant = [{ actor: { reference: doctor }, status: 'accepted' as const }];
        return { resourceType: 'Appointment', status: 'fulfilled', start, end, participant };
      },
    };
  },
};

const seeds = [1, 2];

describe('paging', () => {
  it.each(Object.entries(plans).flatMap(([plan, gather]) => seeds.map((seed) => [plan, seed, gather] as const)))(
    'shows what nobody changes exactly once while others write: %s, drawn by %d',
    async (_plan, seed, gather) => {
      const random = new Random(seed * 7_919);
      const { path, make } = await gather();
      const still = new Set<string>();
      const moving: string[] = [];
      for (let index = 0; index < 16; index++) {
        const place = pathOf(await create(server, await make(random), system));
        if (index % 2 === 0) still.add(place);
        else moving.push(place);
      }
      const change = async (): Promise<void> => {
        const place = random.maybe(moving);
        const what = random.below(3);
        if (what === 0 || place === undefined) {
          moving.push(pathOf(await create(server, await make(random), system)));
        } else if (what === 1) {
          const { body } = await server.get(place, { as: system });
          const { resourceType, subject } = body as unknown as fhir4.Observation;
          let drawn = await make(random);
          while (drawn.resourceType !== resourceType) drawn = await make(random);
          const other = { ...drawn, id: place.split('/')[1], ...(subject ? { subject } : {}) };
          const { status } = await server.put(place, other, { as: system });
          expect(status).toBe(200);
        } else {
          const { status } = await server.delete(place, { as: system });
          expect(status).toBe(204);
          moving.splice(moving.indexOf(place), 1);
        }
      };

      const shown: string[] = [];
      let pages = 0;
      for (let url: string | undefined = `${path}&_count=${1 + random.below(4)}`; url !== undefined; ) {
        const { status, body } = await server.get(url, { as: system });
        expect(status, JSON.stringify(body)).toBe(200);
        shown.push(
          ...resourcesIn(body)
            .filter(({ resourceType }) => resourceType !== 'OperationOutcome')
            .map(referenceTo),
        );
        expect(linkOf(body, 'self')).toBeDefined();
        url = nextLinkOf(body);
        // so that it comes to an end
        if (++pages < 12) for (let changes = random.below(4); changes > 0; changes--) await change();
      }

      expect(pages).toBeGreaterThan(2);
      expect(shown.filter((place) => still.has(place)).sort()).toEqual([...still].sort());
    },
  );
});
