import type { TestCaller } from '../callers.ts';
import { base } from '../fhir-server.ts';
import type { World } from '../naive-search/evaluate.ts';
import { Random } from '../naive-search/random.ts';
import type { Searcher } from '../naive-search/search-server.ts';
import type { StoredRecord } from '../naive-search/stored-world.ts';
import { templates } from '../naive-search/templates.ts';
import { storedTerminology } from '../naive-search/terminology.ts';
import { vary } from '../naive-search/vary.ts';
import { directoryTypes, sees } from '../naive-search/visible.ts';
import { molarMass } from '../naive-search/world.ts';
import { drawRequest, type Known } from './requests.ts';
import { TwoStores } from './two-stores.ts';

export interface AttackFigures {
  readonly requests: number;
  readonly statuses: ReadonlyMap<number, number>;
  readonly differences: readonly { readonly request: string; readonly plain: string; readonly fuller: string }[];
}

export interface Attack {
  readonly seed: number;
  readonly requests: number;
  /** Sends them as one who may see what is hidden from the others: then many must differ, or the comparison is blind. */
  readonly control?: boolean;
}

/** Somebody who may not see what is hidden, and the searches that are drawn for them. */
interface Attacker {
  readonly caller: TestCaller;
  readonly searcher: Searcher;
  readonly sees: (record: StoredRecord) => boolean;
  readonly mayRefer: boolean;
}

const northside: Searcher = { role: 'system', organization: 'northside' };
const size = { patients: 2, chart: 18 };
const categories = 'http://terminology.hl7.org/CodeSystem/observation-category';
/** Types whose records are hidden in charts: clinical ones, and not those that the Consent shares. */
const hiddenTypes = new Set([
  'Condition',
  'Observation',
  'MedicationRequest',
  'Procedure',
  'DiagnosticReport',
  'DocumentReference',
]);
const sharedTypes = ['Patient', 'Immunization', 'AllergyIntolerance', 'Appointment'];

const isVital = ({ resource }: StoredRecord): boolean => {
  const { category } = resource as fhir4.Observation;
  return (category ?? []).some(({ coding }) =>
    coding?.some(({ system, code }) => system === categories && code === 'vital-signs'),
  );
};

const chartOf =
  (patient: string) =>
  ({ resource }: StoredRecord): boolean =>
    resource.id === patient || resource.id.startsWith(`${patient}.`);

/** What opens some types of a chart to the other organisation. */
const consentFor = (patient: string): fhir4.Consent => ({
  resourceType: 'Consent',
  status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
  patient: { reference: `Patient/${patient}` },
  policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTIN' }] },
  provision: { class: sharedTypes.map((code) => ({ system: 'http://hl7.org/fhir/resource-types', code })) },
});

/** Hides clinical records in the charts that the attackers know in part. */
const inCharts = async (stores: TwoStores, random: Random, patients: readonly string[]): Promise<StoredRecord[]> => {
  const hidden: StoredRecord[] = [];
  const fitting = templates.chart.filter(({ resourceType }) => hiddenTypes.has(resourceType));
  for (const patient of patients) {
    for (let each = 0; each < 16; each++) {
      const draw = (type: string) => (type === 'Patient' ? `Patient/${patient}` : undefined);
      const varied = vary(random, random.of(fitting), draw, base, 0.4);
      const body =
        varied.resourceType === 'Observation'
          ? { ...varied, category: [{ coding: [{ system: categories, code: 'laboratory' }] }] }
          : varied;
      const record = await stores.hide(northside, body);
      if (record) hidden.push(record);
    }
  }
  return hidden;
};

/** Hides other patients, who look like those that are known, with a chart each. */
const besides = async (stores: TwoStores, random: Random): Promise<StoredRecord[]> => {
  const hidden: StoredRecord[] = [];
  const known = stores.records.filter(
    ({ resource, organization }) => resource.resourceType === 'Patient' && organization === 'northside',
  );
  for (const { resource } of known) {
    const { id: _, meta: __, link: ___, ...alike } = resource as fhir4.Patient;
    const patient = await stores.hide(northside, alike);
    if (!patient) continue;
    hidden.push(patient, ...(await inCharts(stores, random, [patient.resource.id])));
  }
  return hidden;
};

/**
 * Sends generated requests to two stores that differ only in records that the caller may not see.
 *
 * @returns each request that was answered in two ways, ids and times aside.
 */
export const inferenceAttack = async ({ seed, requests, control = false }: Attack): Promise<AttackFigures> => {
  const differences: AttackFigures['differences'][number][] = [];
  const statuses = new Map<number, number>();
  for (const scene of control ? [chartScene] : [chartScene, patientScene]) {
    const random = new Random(seed);
    const stores = await TwoStores.open(() => new Random(seed), size);
    const { attackers, hidden } = await scene(stores, random);
    for (let each = 0; each < requests / (control ? 1 : 2); each++) {
      const attacker = random.of(attackers);
      const request = drawRequest(random, knownTo(attacker, stores, hidden));
      const [plain, fuller] = await stores.ask(control ? northside : attacker.caller, request);
      const status = Number(/"status": (\d+)/.exec(plain)?.[1]);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (plain !== fuller) {
        const as = `${attacker.caller.role} of ${attacker.caller.organization ?? attacker.caller.patient}`;
        differences.push({ request: `${as}: ${JSON.stringify(request)}`, plain, fuller });
      }
    }
  }
  return { requests, statuses, differences };
};

const worldOf = (records: readonly StoredRecord[]): World => ({
  baseUrl: base,
  now: Date.parse('2026-02-01T00:00:00Z'),
  records,
  terminology: storedTerminology,
  molarMass,
});

const knownTo = (attacker: Attacker, stores: TwoStores, hidden: readonly StoredRecord[]): Known => ({
  searcher: attacker.searcher,
  visible: worldOf(stores.records.filter(attacker.sees)),
  whole: worldOf([...stores.records, ...hidden]),
  hidden,
  mayRefer: attacker.mayRefer,
});

interface Scene {
  readonly attackers: readonly Attacker[];
  readonly hidden: readonly StoredRecord[];
}

const patientsOf = (stores: TwoStores): string[] =>
  stores.records.flatMap(({ resource, organization }) =>
    resource.resourceType === 'Patient' && organization === 'northside' ? [resource.id] : [],
  );

/** Clinical records are hidden from those who see a part of the charts. */
const chartScene = async (stores: TwoStores, random: Random): Promise<Scene> => {
  const patients = patientsOf(stores);
  const [consenting = ''] = patients;
  await stores.write(northside, consentFor(consenting));
  const frontdesk: Searcher = { role: 'frontdesk', organization: 'northside' };
  const lakeside: Searcher = { role: 'physician', organization: 'lakeside' };
  const shared = chartOf(consenting);
  const attackers: Attacker[] = [
    { caller: frontdesk, searcher: frontdesk, sees: (record) => sees(frontdesk, record, base), mayRefer: false },
    {
      caller: {
        role: 'physician',
        scope: `user/Patient.rs user/Communication.cruds user/Observation.cruds?category=${categories}|vital-signs`,
      },
      searcher: { role: 'physician', organization: 'northside' },
      sees: (record) =>
        record.organization === 'northside' &&
        (record.resource.resourceType === 'Patient' ||
          (record.resource.resourceType === 'Observation' && isVital(record))),
      mayRefer: false,
    },
    {
      caller: lakeside,
      searcher: lakeside,
      sees: (record) =>
        sees(lakeside, record, base) || (shared(record) && sharedTypes.includes(record.resource.resourceType)),
      mayRefer: true,
    },
  ];
  return { attackers, hidden: await inCharts(stores, random, patients) };
};

/** Whole patients are hidden from those who know others. */
const patientScene = async (stores: TwoStores, random: Random): Promise<Scene> => {
  const [patient = ''] = patientsOf(stores);
  const lakeside: Searcher = { role: 'physician', organization: 'lakeside' };
  const self: Searcher = { role: 'patient', organization: 'northside', patient };
  const attackers: Attacker[] = [
    // Directories are the same for all, and hold the most of what there is.
    { caller: lakeside, searcher: lakeside, sees: (record) => sees(lakeside, record, base), mayRefer: true },
    {
      caller: { role: 'patient', patient, scope: 'patient/*.cruds' },
      searcher: self,
      sees: (record) => !directoryTypes.has(record.resource.resourceType) && sees(self, record, base),
      mayRefer: true,
    },
  ];
  return { attackers, hidden: await besides(stores, random) };
};
