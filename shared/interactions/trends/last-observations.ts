import { RecordError } from '../../errors.ts';
import { information } from '../../fhir/operation-outcome.ts';
import { newestOfEach } from '../../laboratory/newest-of-each.ts';
import { withdrawnStates } from '../../laboratory/series.ts';
import { invalidParameter, unsupportedParameter } from '../../search/refusal.ts';
import { isResultParameter } from '../../search/result-parameters.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { readInput, searchPairs } from '../operation-input.ts';
import { requireTypeAccess } from '../require-access.ts';
import { matching } from '../search/matching.ts';
import { openSearch } from '../search/open.ts';
import { callsPerPage, tooCostly } from '../search/run.ts';
import { traced } from '../search/trace.ts';
import { entriesOf, entryOf, largestPageBytes, selfLink, weightOf } from '../searchset.ts';
import { lastnInput } from './input.ts';

/** Observations that one request may group. */
const mostGrouped = 10_000;

type Pairs = readonly (readonly [string, string])[];

/**
 * `Observation/$lastn`: of one patient's observations that a search selects, the newest of each code. https://hl7.org/fhir/R4/observation-operation-lastn.html
 *
 * @throws RecordError `invalid` without a patient, or without a category or code; `too-costly` where too many match.
 */
export const lastObservations: Interaction = async (context) => {
  requireTypeAccess(context, 's');
  const { recordType } = context;
  const sent = searchPairs(context);
  const { max = 1 } = readInput(
    context,
    lastnInput,
    sent.filter(([name]) => name === 'max'),
  );
  const asked = sent.filter(([name]) => name !== 'max');
  requireSelection(context, asked);
  // What was withdrawn is no observation of the patient, unless that is what is asked for.
  const byStatus = asked.some(([name]) => /^status(?::|$)/.test(name));
  const searching = { ...context, request: { ...context.request, query: sent } };
  const { run, query, planned } = await openSearch(searching, asked, { strict: context.request.prefer.strict });
  const { plan } = await planned();
  const found = await traced(
    run,
    async () => {
      const all: StoredRecord[] = [];
      for await (const { record } of matching(run, recordType, { ...query, plan })) {
        if (run.calls > callsPerPage) throw tooCostly('code');
        if (!record || (!byStatus && withdrawnStates.has(String(record.resource?.['status'])))) continue;
        run.hold(record, 'code');
        all.push(record);
        if (all.length > mostGrouped) throw tooCostly('code');
      }
      return newestOfEach(
        all.map((record) => ({
          observation: record.resource as unknown as fhir4.Observation,
          updated: record.updated,
          record,
        })),
        max,
      );
    },
    { sent, shown: (shown) => shown.map((record) => [recordType, record] as const) },
  );
  if (found.reduce((sum, { resource }) => sum + weightOf(resource ?? {}), 0) > largestPageBytes) throw tooCostly('max');
  const warnings = query.warnings.map(({ parameter, message }) => ({
    message,
    expression: parameter,
    code: 'not-supported' as const,
  }));
  await context.view.prepare(found);
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    total: found.length,
    link: [selfLink(context, [...query.understood, ...sent.filter(([name]) => name === 'max')])],
    ...entriesOf([
      ...found.map((record) => entryOf(context, record)),
      ...(warnings.length === 0
        ? []
        : [{ resource: information('warning', warnings), search: { mode: 'outcome' as const } }]),
    ]),
  };
  return { statusCode: 200, resource: bundle };
};

/** Requires one patient, by name or because it is the patient who asks, and a category or code. What manages pages has no meaning here. */
const requireSelection = ({ asking }: RequestContext, asked: Pairs): void => {
  const managed = asked.find(
    ([name]) => isResultParameter(name.replace(/[:.].*$/s, '')) && !/^_(?:format|pretty)$/.test(name),
  );
  if (managed) throw unsupportedParameter(managed[0], '$lastn has an order and a length of its own');
  const patients = asked.filter(([name]) => /^(?:patient|subject)(?::Patient)?$/.test(name));
  if (patients.length === 0 && asking.caller.patient === undefined) {
    const [meant = 'patient'] = asked.map(([name]) => name).filter((name) => /^(?:patient|subject)\b/.test(name));
    throw invalidParameter(meant, '$lastn needs a patient');
  }
  const several = patients.find(([, value]) => value.includes(','));
  if (several) throw invalidParameter(several[0], '$lastn is of one patient');
  if (!asked.some(([name]) => /^category\b|(?:^|-)code\b/.test(name))) {
    throw new RecordError('invalid', '$lastn needs a category or a code', { expression: 'category' });
  }
};
