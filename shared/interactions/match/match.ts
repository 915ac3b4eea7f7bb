import { RecordError } from '../../errors.ts';
import { information } from '../../fhir/operation-outcome.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { parseBody } from '../parse-body.ts';
import { requireTypeAccess } from '../require-access.ts';
import { entriesOf, entryOf, selfLink } from '../searchset.ts';
import { candidatesFor } from './candidates.ts';

export const matchInput = {
  resource: { type: 'Resource', min: 1 },
  onlyCertainMatches: { type: 'boolean' },
  count: { type: 'integer' },
} as const;

const usualCount = 10;
const largestCount = 50;

/**
 * `Patient/$match`: patients who may be the one that is described, the most likely first, each with a score, a grade and the evidence for it.
 * https://hl7.org/fhir/R4/patient-operation-match.html
 *
 * @throws RecordError `invalid` if what describes the patient is no Patient, or tells too little to look for.
 */
export const matchPatient: Interaction = async (context) => {
  requireTypeAccess(context, 's');
  const { resource, onlyCertainMatches = false, count = usualCount } = readInput(context, matchInput);
  if (count < 1) throw new RecordError('invalid', 'The count is at least 1', { expression: 'count' });
  const described = parseBody(context.recordType, resource).resource as Resource & fhir4.Patient;
  const patientMatching = await import('../../matching/patients.lazy.ts');
  if (patientMatching.searchesFor(described).length === 0) {
    throw new RecordError(
      'invalid',
      'Describe the patient by name, birth date, telecom or identifier with its system',
      {
        reason: 'too-little-told',
        expression: 'resource',
      },
    );
  }
  const { records, cutShort } = await candidatesFor(context, described, patientMatching);
  const matches = records
    .map((record) => ({
      record,
      match: patientMatching.matchPatients(described, record.resource as unknown as fhir4.Patient),
    }))
    .filter(({ match }) => match.grade !== 'certainly-not')
    .sort((a, b) => b.match.score - a.match.score || (a.record.id < b.record.id ? -1 : 1));
  const certain = matches.filter(({ match }) => match.grade === 'certain');
  const wanted = onlyCertainMatches ? (certain.length > 1 ? [] : certain) : matches;
  const shown = wanted.slice(0, Math.min(count, largestCount));
  await trace(
    context,
    matches.map(({ record }) => record),
  );
  const remarks = [
    ...cutShort.map((name) => ({
      message: `More patients share the ${name} than were looked at; describe the patient by more`,
      code: 'incomplete' as const,
    })),
    ...(matches.length > shown.length
      ? [{ message: `Not shown: ${matches.length - shown.length} patients who may be this one, too` }]
      : []),
  ];
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    total: shown.length,
    link: [selfLink(context, [])],
    ...entriesOf([
      ...shown.map(({ record, match }) => ({ ...entryOf(context, record), search: patientMatching.searchOf(match) })),
      ...(remarks.length === 0
        ? []
        : [{ resource: information('warning', remarks), search: { mode: 'outcome' as const } }]),
    ]),
  };
  return { statusCode: 200, resource: bundle };
};

/**
 * The log of each patient who is shown, or counted among those not shown, tells of it, and not whom it was asked about; the organisation's where
 * nobody is.
 */
const trace = async ({ audit, asking }: RequestContext, told: readonly StoredRecord[]): Promise<void> => {
  const access = { interaction: 'operation', query: 'Patient/$match' } as const;
  const rows = told.map(({ chart, id }) => ({ ...access, chart, what: [`Patient/${id}`] }));
  const own = asking.chart ?? asking.caller.organization ?? '';
  await audit.record(rows.length > 0 ? rows : [{ ...access, chart: own, what: [] }]);
};
