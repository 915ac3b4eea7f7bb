import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { PatientFacts } from '../../order-checks/check-order.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { linkedPage } from '../../store/linked-page.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locateAll } from '../locate.ts';
import { mayAccess } from '../require-access.ts';

type Context = Omit<RequestContext, 'recordType'>;

/** Pages of a chart, of 1 MB each, that are read of a type: of the first, all of them count; of the others, the newest. */
const mostPages = {
  AllergyIntolerance: { all: 10 },
  Condition: { all: 10 },
  MedicationRequest: { all: 10 },
  MedicationStatement: { all: 10 },
  MedicationAdministration: { newest: 1 },
  Observation: { newest: 2 },
} as const satisfies Record<string, { readonly all: number } | { readonly newest: number }>;

type FactType = keyof typeof mostPages;

/** Types of records of a chart that matter for an order. */
export const factTypes: readonly string[] = Object.keys(mostPages);

/** What an order is checked against, before what records refer to is looked up. */
export type ChartFacts = Readonly<Record<FactType, readonly Resource[]>> & { readonly patient: Resource | undefined };

/** Those of a chart that is not there yet. */
export const noFacts: ChartFacts = {
  patient: undefined,
  AllergyIntolerance: [],
  Condition: [],
  MedicationRequest: [],
  MedicationStatement: [],
  MedicationAdministration: [],
  Observation: [],
};

/**
 * What the caller may see of a chart, and of those merged with it, that matters for an order: one Query for each type, all at once, and a read of the patient. What is hidden from the caller is left
 * out, as if there were no such record.
 *
 * @throws RecordError `too-costly` for a chart with more allergies, conditions or medicines than can be looked through: an order is not checked against a part of them.
 */
export const chartFacts = async (context: Context, chart: string): Promise<ChartFacts> => {
  const [patient, ...found] = await Promise.all([
    context.store.read({ type: 'Patient', chart, place: '' }),
    ...(Object.keys(mostPages) as FactType[]).map(
      async (type) => [type, await seenInChart(context, chart, type)] as const,
    ),
  ]);
  return { patient: patient?.resource, ...(Object.fromEntries(found) as Record<FactType, readonly Resource[]>) };
};

const seenInChart = async (context: Context, chart: string, type: FactType): Promise<readonly Resource[]> => {
  const most = mostPages[type];
  const records: StoredRecord[] = [];
  let after: string | undefined;
  let linked: Awaited<ReturnType<typeof linkedPage>>['linked'] | undefined;
  for (let page = 1; ; page++) {
    const read = await linkedPage(context.store.whole, chart, type, { after }, linked);
    linked = read.linked;
    records.push(...read.items.map(({ record }) => record));
    after = read.next;
    if (after === undefined || ('newest' in most && page === most.newest)) break;
    if ('all' in most && page === most.all)
      throw new RecordError('too-costly', 'The chart is too large for an order to be checked against it');
  }
  await context.sharing.lookUp(records);
  const facts = { ...context, recordType: factsOfType(type) };
  return records.flatMap((record) =>
    record.resource && mayAccess(facts, 'r', record) ? [{ ...record.resource, id: record.id }] : [],
  );
};

/** Elements by which medicines and orders name records that matter for a check. */
const naming = ['medicationReference', 'priorPrescription', 'request', 'basedOn', 'derivedFrom'] as const;

/** The same record, naming records of this server as `Type/id`: a whole address, or one of a version, is of the same record. */
export const namingRecords = ({ request: { baseUrl } }: Pick<Context, 'request'>, record: Resource): Resource => {
  const named = (reference: fhir4.Reference): fhir4.Reference => {
    const parsed = parseReference(reference.reference ?? '', baseUrl);
    return parsed.kind === 'record' ? { ...reference, reference: `${parsed.type}/${parsed.id}` } : reference;
  };
  const changed = naming.flatMap((element) => {
    const value = record[element] as fhir4.Reference | fhir4.Reference[] | undefined;
    return value === undefined ? [] : [[element, Array.isArray(value) ? value.map(named) : named(value)] as const];
  });
  return changed.length === 0 ? record : { ...record, ...Object.fromEntries(changed) };
};

/** The same with the Medications that these records and an order refer to: a call more where there are any. */
export const withMedications = async (
  context: Context,
  facts: ChartFacts,
  orders: readonly Resource[],
): Promise<PatientFacts> => {
  const medicines = [...facts.MedicationRequest, ...facts.MedicationStatement, ...facts.MedicationAdministration].map(
    (record) => namingRecords(context, record),
  );
  const ids = new Set(
    [...orders, ...medicines].flatMap((record) => {
      const { reference = '' } = (record['medicationReference'] ?? {}) as fhir4.Reference;
      const named = parseReference(reference, context.request.baseUrl);
      return named.kind === 'record' && named.type === 'Medication' ? [named.id] : [];
    }),
  );
  return {
    patient: facts.patient as fhir4.Patient | undefined,
    medicines: medicines as unknown as PatientFacts['medicines'],
    allergies: facts.AllergyIntolerance as unknown as fhir4.AllergyIntolerance[],
    conditions: facts.Condition as unknown as fhir4.Condition[],
    observations: facts.Observation as unknown as fhir4.Observation[],
    medications: ids.size === 0 ? new Map() : await medicationsOf(context, [...ids]),
  };
};

const medicationsOf = async (context: Context, ids: readonly string[]): Promise<PatientFacts['medications']> =>
  (await seenOf(
    context,
    ids.map((id) => `Medication/${id}`),
  )) as unknown as PatientFacts['medications'];

/**
 * Records that the caller may see, by `Type/id`: one call to find them and one to read them.
 *
 * @param names - `Type/id` each.
 */
export const seenOf = async (context: Context, names: readonly string[]): Promise<ReadonlyMap<string, Resource>> => {
  const byType = Map.groupBy(names, (name) => name.slice(0, name.indexOf('/')));
  const found = [...byType].map(([type, each]) =>
    locateAll(
      context,
      type,
      each.map((name) => name.slice(type.length + 1)),
    ),
  );
  const records = await context.store.whole.readMany((await Promise.all(found)).flat());
  await context.sharing.lookUp(records);
  return new Map(
    records.flatMap((record) =>
      record.resource && mayAccess({ ...context, recordType: factsOfType(record.type) }, 'r', record)
        ? [[`${record.type}/${record.id}`, { ...record.resource, id: record.id }] as const]
        : [],
    ),
  );
};
