import { RecordError } from '../../errors.ts';
import { listPartition } from '../../store/index-rows.ts';
import { keepingOf } from '../../store/keeping.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { rowsBetween } from '../../store/rows-between.ts';
import type { Answer, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { askedPage, nextLink } from '../searchset.ts';
import { requireOfficer } from './officer.ts';
import { chartKeptUntil, recordsIn } from './purge.ts';

/** Patients that a page passes at most, and charts that it reads. */
const mostPatients = 100;
const mostCharts = 20;

/** A chart that may be purged, or whose time cannot be told for what stands against it. */
export interface Due {
  readonly patient: StoredRecord;
  readonly records?: number;
  /** Until when it was to be kept, in milliseconds since 1970. */
  readonly until?: number;
  /** Code of the refusal that a purge would meet. */
  readonly obstacle?: string;
}

/**
 * `GET Patient/$purge-due`: charts of the own organisation whose time is over, by the rules of `$purge`, a page at a time. It walks the list of patients, so that no write of a record pays for it.
 * Whose own record was written too lately is passed without a look at the chart.
 *
 * @returns Parameters with a `due` for each chart, and with `next`, an address, where more patients follow.
 * @throws RecordError `forbidden`.
 */
export const purgeDue = async (context: RequestContext): Promise<Answer> => {
  requireOfficer(context, 'd');
  readInput(context, {});
  const { audit } = context;
  const { due, next } = await dueBehind(context, positionOf(context));
  await audit.record([
    { interaction: 'operation', chart: organizationOf(context), what: [], query: 'Patient/$purge-due' },
    ...due.map(({ patient: { chart, id } }) => ({
      interaction: 'operation' as const,
      chart,
      what: [`Patient/${id}`],
      query: 'Patient/$purge-due',
    })),
  ]);
  const parameter: fhir4.ParametersParameter[] = due.map(({ patient, records, until, obstacle }) => ({
    name: 'due',
    part: [
      { name: 'patient', valueReference: { reference: `Patient/${patient.id}` } },
      ...(records === undefined ? [] : [{ name: 'records', valueUnsignedInt: records }]),
      ...(until === undefined ? [] : [{ name: 'since', valueInstant: new Date(until).toISOString() }]),
      ...(obstacle === undefined ? [] : [{ name: 'obstacle', valueCode: obstacle }]),
    ],
  }));
  const link = next === undefined ? undefined : nextLink(context, { query: [], position: [next] });
  return {
    statusCode: 200,
    resource: {
      resourceType: 'Parameters',
      parameter: [...parameter, ...(link ? [{ name: 'next', valueUri: link.url }] : [])],
    },
  };
};

const organizationOf = ({ asking }: RequestContext): string => asking.caller.organization ?? '';

const positionOf = (context: RequestContext): string | undefined => {
  const [after] = (askedPage(context)?.position ?? []) as readonly string[];
  return after;
};

/** What of the next patients is due, and behind whom to go on. Three calls, and those of each chart that is looked at. */
export const dueBehind = async (
  context: RequestContext,
  after: string | undefined,
): Promise<{ readonly due: readonly Due[]; readonly next: string | undefined }> => {
  const { store, now } = context;
  const pk = listPartition(organizationOf(context), 'Patient');
  const { rows, next } = await rowsBetween(store, { pk, from: '!', to: '~', after, limit: mostPatients });
  const read = await store.readPage(
    rows.map((row) => ({ type: 'Patient', chart: String(row['chart']), place: String(row['place']) })),
  );
  const patients = new Map(read.records.map((patient) => [patient.chart, patient]));
  const keepings = await keepingOf(store, patients.keys());
  const due: Due[] = [];
  let looked = 0;
  let behind: string | undefined;
  for (const row of rows.slice(0, read.taken)) {
    if (looked === mostCharts) return { due, next: behind };
    behind = row.sk;
    const patient = patients.get(String(row['chart']));
    if (!patient || patient.custodian !== organizationOf(context)) continue;
    if (now < (await chartKeptUntil(context, [patient], patient))) continue;
    if (keepings.has(patient.chart)) {
      due.push({ patient, obstacle: 'legal-hold' });
      continue;
    }
    looked++;
    const found = await lookedAt(context, patient);
    if (found) due.push(found);
  }
  return { due, next: read.taken < rows.length ? behind : next };
};

const lookedAt = async (context: RequestContext, patient: StoredRecord): Promise<Due | undefined> => {
  try {
    const records = await recordsIn(context, patient);
    const until = await chartKeptUntil(context, records, patient);
    return context.now < until ? undefined : { patient, records: records.length, until };
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return { patient, obstacle: error.reason };
  }
};
