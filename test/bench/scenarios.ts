import { accessToken } from '../support/callers.ts';
import { type FhirServer, fhirServer, physician, type TestResponse } from '../support/fhir-server.ts';
import { sought, soughtOrganization } from './registry.ts';
import { chartTransaction, encounterShaped, observationShaped, oneCode, patientShaped } from './sample-shaped.ts';

/** A server with one large chart, and tokens that are made once: signing one takes longer than a request. */
export interface World {
  readonly server: FhirServer;
  readonly physician: string;
  readonly system: string;
  readonly admin: string;
  /** Reference to the patient of a chart of 1,000 records, 500 of them Observations. */
  readonly largeChart: string;
}

export const recordsInLargeChart = 1_000;

export const newWorld = async (): Promise<World> => {
  const server = await fhirServer();
  const tokens = {
    physician: await accessToken(physician),
    system: await accessToken({ role: 'system' }),
    admin: await accessToken({ role: 'admin' }),
  };
  const large = await server.post('', chartTransaction(recordsInLargeChart), { token: tokens.system });
  const world = { server, ...tokens, largeChart: firstWritten(requireStatus(large, 200)) };
  requireStatus(await server.post('Patient', sought, { token: tokens.physician }), 201);
  requireStatus(await server.post('Organization', soughtOrganization, { token: tokens.admin }), 201);
  return world;
};

/** @throws Error with the answer, which holds nobody's data here. */
export const requireStatus = (response: TestResponse, status: number): TestResponse => {
  if (response.status === status) return response;
  throw new Error(`Expected ${status}, got ${response.status}: ${response.text.slice(0, 2_000)}`);
};

const firstWritten = ({ text }: TestResponse): string => /"location":"[^"]*?(Patient\/[^/"]+)/.exec(text)?.[1] ?? '';

const idOf = ({ text }: TestResponse): string => (JSON.parse(text) as { id: string }).id;

/** One request that a scenario measures. What it needs was made before. */
export type Send = () => Promise<TestResponse>;

export interface Scenario<W = World> {
  readonly name: string;
  /** Makes what the request needs: records of its own, so that requests of several lanes do not meet. */
  readonly prepare: (world: W) => Promise<Send>;
  readonly status: number;
  /** Matches or entries that the answer must have, so that a search that finds nothing is no measurement. */
  readonly entries?: number;
  /** Records that it writes. */
  readonly records?: number;
  /** May be sent again and again. */
  readonly repeatable: boolean;
}

const newChart = async ({ server, physician: token }: World) => {
  const patient = `Patient/${idOf(requireStatus(await server.post('Patient', patientShaped(), { token }), 201))}`;
  const encounter = await server.post('Encounter', encounterShaped({ patient }), { token });
  return { patient, encounters: [`Encounter/${idOf(requireStatus(encounter, 201))}`] };
};

const newObservation = async (world: World) => {
  const body = observationShaped(await newChart(world));
  const created = await world.server.post('Observation', body, { token: world.physician });
  const id = idOf(requireStatus(created, 201));
  return { path: `Observation/${id}`, body: { ...body, id } };
};

const get = (
  name: string,
  entries: number | undefined,
  path: (world: World) => string | Promise<string>,
): Scenario => ({
  name,
  prepare: async (world) => {
    const address = await path(world);
    return world.server.prepare('GET', address, { token: world.physician });
  },
  status: 200,
  ...(entries === undefined ? {} : { entries }),
  repeatable: true,
});

const transactionOf = (size: number): Scenario => ({
  name: `transaction of ${size} creates`,
  prepare: async ({ server, system: token }) => {
    const bundle = chartTransaction(size);
    return server.prepare('POST', '', { body: bundle, token });
  },
  status: 200,
  entries: size,
  records: size,
  repeatable: false,
});

export const create: Scenario = {
  name: 'create',
  prepare: async (world) => {
    const body = observationShaped(await newChart(world));
    return world.server.prepare('POST', 'Observation', { body, token: world.physician });
  },
  status: 201,
  records: 1,
  repeatable: true,
};

export const read = get('read', undefined, async (world) => (await newObservation(world)).path);
export const vread = get('vread', undefined, async (world) => `${(await newObservation(world)).path}/_history/1`);

export const update: Scenario = {
  name: 'update',
  prepare: async (world) => {
    const { path, body } = await newObservation(world);
    return world.server.prepare('PUT', path, { body, token: world.physician });
  },
  status: 200,
  records: 1,
  repeatable: true,
};

const deletion: Scenario = {
  name: 'delete',
  prepare: async (world) => {
    const { path } = await newObservation(world);
    return world.server.prepare('DELETE', path, { token: world.physician });
  },
  status: 204,
  records: 1,
  repeatable: false,
};

const deletionInLargeChart: Scenario = {
  name: 'delete in a chart of 300',
  prepare: async ({ server, system: token }) => {
    const chart = await server.post('', chartTransaction(300), { token });
    const observation = /"location":"[^"]*?(Observation\/[^/"]+)/.exec(requireStatus(chart, 200).text)?.[1] ?? '';
    return server.prepare('DELETE', observation, { token });
  },
  status: 204,
  records: 1,
  repeatable: false,
};

export const newestOfMany = get(
  'search in a chart: 50 newest of 500',
  50,
  ({ largeChart }) => `Observation?patient=${largeChart}&_count=50`,
);
const codeOfMany = get(
  'search in a chart: one code of 500',
  50,
  ({ largeChart }) => `Observation?patient=${largeChart}&code=${oneCode}&_count=60`,
);
const [{ system, value }] = sought.identifier;
export const byIdentifier = get('patient by identifier', 1, () => `Patient?identifier=${system}|${value}`);
const byName = get('patient by name', 1, () => `Patient?name=${sought.name[0].family}`);
const byBirthDate = get('patient by birth date', 1, () => `Patient?birthdate=${sought.birthDate}`);
const organizationByName = get('organisation by name', 1, () => `Organization?name=${soughtOrganization.name}`);

export const smallTransaction = transactionOf(10);
const largeTransaction = transactionOf(300);
const everything = get('$everything of 1,000', recordsInLargeChart, ({ largeChart }) => `${largeChart}/$everything`);

/** Whatever a deployment has, these cost the same: they are measured at every scale. */
export const atEveryScale: readonly Scenario[] = [
  create,
  read,
  vread,
  update,
  deletion,
  newestOfMany,
  codeOfMany,
  byIdentifier,
  byName,
  byBirthDate,
  organizationByName,
  smallTransaction,
];

export const scenarios: readonly Scenario[] = [...atEveryScale, deletionInLargeChart, largeTransaction, everything];
