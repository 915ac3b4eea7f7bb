import { RecordError } from '../../errors.ts';
import { information } from '../../fhir/operation-outcome.ts';
import type { Resource } from '../../fhir/resource.ts';
import { identifyingFacts } from '../../matching/identifying-facts.ts';
import { searchesFor } from '../../matching/searches.ts';
import { inParallel } from '../../store/in-parallel.ts';
import { presented, type StoredRecord } from '../../store/rows.ts';
import { takeAttempt } from '../attempts.ts';
import type { Answer, RequestContext } from '../context.ts';
import { foundBy } from '../found-by.ts';
import { readInput } from '../operation-input.ts';
import { systemOf } from '../own-system.ts';
import { parseBody } from '../parse-body.ts';
import { entriesOf, selfLink } from '../searchset.ts';
import { View } from '../view.ts';
import { requireClinician } from './clinicians.ts';
import { emergencyMatchInput } from './input.ts';
import type { Searching } from './operations.ts';

/** Facts that have to be told: one alone is a fishing rod. */
const leastFacts = 2;
const allowed = { what: 'emergency', perHour: 10 };
/** Organisations that are asked: each takes a call or two. */
const mostOrganizations = 1_000;
const askedAtOnce = 10;
const query = 'Patient/$emergency-match';

/**
 * `Patient/$emergency-match`: the one patient of the whole network who has all that is told, with what tells who it is and nothing else; no record of
 * care. Whether nobody has it or several do is not told. Each attempt is in the log of the organisation, and in that of the patient who is found.
 *
 * @throws RecordError `invalid` if too little is told; `throttled` behind some attempts in an hour.
 */
export const emergencyMatch = async (context: RequestContext, searching: Searching): Promise<Answer> => {
  const organization = requireClinician(context, 's');
  const { resource } = readInput(context, emergencyMatchInput);
  const described = parseBody(context.recordType, resource).resource as Resource & fhir4.Patient;
  const facts = identifyingFacts(described);
  const [search] = searchesFor(described);
  if (facts.length < leastFacts || !search) {
    throw new RecordError(
      'invalid',
      'Tell at least two of: identifier with its system, given and family name, whole birth date, telecom',
      { reason: 'too-little-told', expression: 'resource' },
    );
  }
  const access = { interaction: 'operation', query, emergency: true } as const;
  await takeAttempt(context, allowed, context.audit.row({ ...access, chart: organization, what: [] }));
  const found = new Map<string, StoredRecord>();
  const organizations = await organizationsOf(context, searching, organization);
  await inParallel(askedAtOnce, organizations, async (keeper) => {
    for (const record of await foundBy(asSystemOf(context, keeper), searching, [search]))
      if (facts.every((holds) => holds(record.resource as unknown as fhir4.Patient))) found.set(record.id, record);
  });
  const [one, ...others] = found.values();
  const only = others.length === 0 ? one : undefined;
  if (only) await context.audit.record([{ ...access, chart: only.chart, what: [`Patient/${only.id}`] }]);
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    total: only ? 1 : 0,
    link: [selfLink(context, [])],
    ...entriesOf([
      only
        ? {
            fullUrl: `${context.request.baseUrl}/Patient/${only.id}`,
            resource: demographicsOf(only),
            search: { mode: 'match' as const },
          }
        : { resource: noneAlone, search: { mode: 'outcome' as const } },
    ]),
  };
  return { statusCode: 200, resource: bundle };
};

const noneAlone = information('information', [
  { message: 'There is no patient, or more than one, who has all of this', reason: 'no-single-match' },
]);

const asSystemOf = (context: RequestContext, organization: string): RequestContext => {
  const asking = systemOf(context, organization);
  const sharing = context.sharing.as(asking);
  return { ...context, asking, sharing, view: new View(asking, context.store, sharing, context.programmes) };
};

/** Organisations of the directory: whoever keeps patients is one of them. */
const organizationsOf = async (
  context: RequestContext,
  searching: Searching,
  own: string,
): Promise<readonly string[]> => {
  const recordType = (await searching.searchTypes()).get('Organization');
  if (!recordType) throw new Error('Organisations cannot be searched');
  const listed = await foundBy({ ...asSystemOf(context, own), recordType }, searching, [], mostOrganizations);
  if (listed.length > mostOrganizations)
    throw new RecordError('too-costly', 'The network has too many organisations to ask each', { reason: 'too-costly' });
  return [...new Set([own, ...listed.map(({ id }) => id)])];
};

/** Who it is, and no more. */
const demographicsOf = (record: StoredRecord): fhir4.Patient => {
  const { id, name, gender, birthDate, deceasedBoolean, deceasedDateTime, address } = presented(
    record,
  ) as unknown as fhir4.Patient;
  const told = { id, name, gender, birthDate, deceasedBoolean, deceasedDateTime, address };
  return {
    resourceType: 'Patient',
    meta: { tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }] },
    ...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)),
  };
};
