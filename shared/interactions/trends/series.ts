import { RecordError } from '../../errors.ts';
import type { CodeToken, Series, SeriesPoint } from '../../laboratory/series.ts';
import { seriesOf } from '../../laboratory/series.ts';
import { loadUnits } from '../../search/units.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { requireTypeAccess } from '../require-access.ts';
import { matching } from '../search/matching.ts';
import { openSearch } from '../search/open.ts';
import { callsPerPage, tooCostly } from '../search/run.ts';
import { traced } from '../search/trace.ts';
import { coverage, largestPageBytes, weightOf } from '../searchset.ts';
import { seriesInput } from './input.ts';

/** Observations of one series. */
const mostPoints = 5_000;

/**
 * `GET Observation/$series`: all values of a code of one patient, the oldest first, in one unit: what was told is kept beside it, what was corrected is marked, and what does not convert says so. It is a search of
 * Observations by `combo-code`, with its rights and its trace: one Query for each megabyte of the chart's observations, or of the time that is asked for.
 *
 * @throws RecordError `invalid` without a patient, or for what is no unit of UCUM; `too-costly` for more than 5,000.
 */
export const series: Interaction = async (context) => {
  requireTypeAccess(context, 's');
  const { recordType, request, view } = context;
  const input = readInput(context, seriesInput);
  const codes = codesIn(input.code);
  const units = await loadUnits();
  if (input.unit !== undefined && !units.conversion(input.unit, input.unit))
    throw new RecordError('invalid', 'This is no unit of UCUM into which values convert', { expression: 'unit' });
  const sent = conditionsOf(context, input);
  const searching = { ...context, request: { ...request, query: sent } };
  const { run, query, planned } = await openSearch(searching, sent, { strict: true });
  const { plan } = await planned();
  const found = await traced(
    run,
    async () => {
      const all: StoredRecord[] = [];
      for await (const { record } of matching(run, recordType, { ...query, plan })) {
        if (run.calls > callsPerPage) throw tooCostly('start');
        if (!record) continue;
        run.hold(record, 'start');
        all.push(record);
        if (all.length > mostPoints) throw tooCostly('start');
      }
      return all;
    },
    { sent, shown: (shown) => shown.map((record) => [recordType, record] as const) },
  );
  await view.prepare(found);
  const observations = found.flatMap((record) => {
    const { resource } = view.of(record);
    return resource ? [{ observation: resource as unknown as fhir4.Observation, updated: record.updated, record }] : [];
  });
  const resource = toldOf(seriesOf(observations, { codes, asked: input.unit }, units));
  if (weightOf(resource) > largestPageBytes) throw tooCostly('start');
  return { statusCode: 200, resource };
};

/** The search that finds what a series is made of. */
const conditionsOf = (
  { asking }: RequestContext,
  {
    patient,
    code,
    start,
    end,
  }: { readonly patient?: string | undefined; readonly code: string } & Readonly<
    Partial<Record<'start' | 'end', string | undefined>>
  >,
): readonly (readonly [string, string])[] => {
  if (patient === undefined && asking.caller.patient === undefined)
    throw new RecordError('invalid', '$series needs a patient', { expression: 'patient' });
  if (patient?.includes(',')) throw new RecordError('invalid', '$series is of one patient', { expression: 'patient' });
  return [
    ...(patient === undefined ? [] : [['patient', patient] as const]),
    ['combo-code', code],
    ...(start === undefined ? [] : [['date', `ge${start}`] as const]),
    ...(end === undefined ? [] : [['date', `le${end}`] as const]),
  ];
};

/** Tokens as a search has them: values with commas between them, in which `\` makes a letter of what follows. https://hl7.org/fhir/R4/search.html#escaping */
const codesIn = (text: string): readonly CodeToken[] =>
  text
    .split(/(?<!\\),/)
    .map((token) => token.replaceAll(/\\(.)/g, '$1'))
    .filter((token) => token !== '' && token !== '|');

const toldOf = ({ unit, points }: Series<StoredRecord>): fhir4.Parameters => {
  const name = unit?.code ?? unit?.unit;
  return {
    resourceType: 'Parameters',
    meta: coverage,
    parameter: [
      ...(name === undefined ? [] : [{ name: 'unit', valueString: name }]),
      ...points.map((point) => ({ name: 'point', part: partsOf(point) })),
    ],
  };
};

const partsOf = (point: SeriesPoint<StoredRecord>): fhir4.ParametersParameter[] => {
  const { record, time, status, corrected, value, because, original, interpretation } = point;
  const [element, told] = original;
  return [
    ...(time === undefined ? [] : [{ name: 'time', valueDateTime: time }]),
    ...(value ? [{ name: 'value', valueQuantity: value }] : []),
    ...(because ? [{ name: 'because', valueCode: because }] : []),
    { name: 'original', [element]: told },
    ...interpretation.map((valueCodeableConcept) => ({ name: 'interpretation', valueCodeableConcept })),
    { name: 'status', valueCode: status },
    ...(corrected ? [{ name: 'corrected', valueBoolean: true }] : []),
    {
      name: 'observation',
      valueReference: { reference: `${record.type}/${record.id}/_history/${record.version}` },
    },
  ];
};
