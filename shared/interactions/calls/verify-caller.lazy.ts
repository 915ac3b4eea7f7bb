import { callMs } from '../../access/delegation.ts';
import { isSensitive, isSupport } from '../../access/support.ts';
import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { identifyingFacts } from '../../matching/identifying-facts.ts';
import { searchesFor } from '../../matching/searches.ts';
import { isDead } from '../../people/death.ts';
import { isReplaced } from '../../people/links.ts';
import { beginCall, callRow } from '../../store/calls.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { takeAttempt } from '../attempts.ts';
import type { Answer, RequestContext } from '../context.ts';
import type { Searching } from '../emergency/operations.ts';
import { foundBy } from '../found-by.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { systemOf } from '../own-system.ts';
import { parseBody } from '../parse-body.ts';
import { requireTypeAccess } from '../require-access.ts';
import { View } from '../view.ts';
import { verifyCallerInput } from './input.ts';

/** Facts that a caller has to tell: one alone is on many an envelope. */
const leastFacts = 2;
/** A call every two minutes. */
const allowed = { what: 'verify-caller', perHour: 30 };
const query = 'Patient/$verify-caller';

/**
 * `Patient/$verify-caller`: whether somebody on the telephone has told two facts of a patient whom the organisation keeps, all of them right. Yes opens a call with
 * this patient, and ends the one before. No is one answer, whatever is wrong: nobody has that, several have, one fact of two is right, the patient is not for
 * support staff, or has died. Each attempt is in the log of the organisation, and in that of the patient who was meant.
 *
 * @throws RecordError `forbidden` to all but support staff under a delegation; `invalid` if too little is told, or in a bundle; `throttled`.
 */
export const verifyCaller = async (context: RequestContext, searching: Searching): Promise<Answer> => {
  const { asking, audit, now } = context;
  const { caller } = asking;
  const { organization } = caller;
  requireTypeAccess(context, 's');
  if (organization === undefined || !isSupport(caller))
    throw new RecordError('forbidden', 'This is for support staff', { reason: 'forbidden-role' });
  if ('budget' in context)
    throw new RecordError('invalid', 'Ask this by itself, and not in a bundle', { reason: 'not-in-bundle' });
  const { resource, patient } = readInput(context, verifyCallerInput);
  const told = parseBody(context.recordType, resource).resource as Resource & fhir4.Patient;
  const facts = [...identifyingFacts(told), ...postalFacts(told)];
  const [first, ...others] = searchesFor(told);
  if (facts.length < leastFacts || !first)
    throw new RecordError(
      'invalid',
      'Tell at least two of: identifier with its system, given and family name, whole birth date, telecom, postal code',
      { reason: 'too-little-told', expression: 'resource' },
    );
  const access = { interaction: 'operation', query } as const;
  await takeAttempt(context, allowed, audit.row({ ...access, chart: organization, what: [] }));
  const own = onWhole(context, organization);
  // One kind of fact leads to all who may be meant: such as a telephone number, as it was told and by its digits.
  const searches = [first, ...others.filter(([kind]) => kind === first[0])];
  const candidates = patient === undefined ? await foundByAny(own, searching, searches) : await named(own, patient);
  const meant = candidates.filter(({ custodian, resource: known }) => custodian === organization && known);
  const holds = (each: StoredRecord) =>
    isForCalls(each) && facts.every((fact) => fact(each.resource as unknown as fhir4.Patient));
  const [verified, ...more] = meant.filter(holds);
  const only = more.length === 0 ? verified : undefined;
  // Whom a search merely came across was not meant.
  const touched = only ? [only] : patient === undefined ? [] : meant;
  await audit.record(
    touched.map(({ chart, id }) => ({
      ...access,
      chart,
      what: [`Patient/${id}`],
      ...(only ? {} : { outcome: 'refused' as const }),
    })),
  );
  if (!only) return answer([{ name: 'verified', valueBoolean: false }]);
  const until = now + callMs;
  await beginCall(own.store, callRow(organization, caller.fhirUser, only.chart, until));
  return answer([
    { name: 'verified', valueBoolean: true },
    { name: 'patient', valueReference: { reference: `Patient/${only.id}` } },
    { name: 'until', valueInstant: new Date(until).toISOString() },
  ]);
};

/** Whether somebody can call as this patient, and support staff may know of the record. */
const isForCalls = ({ labels, resource }: StoredRecord): boolean =>
  resource !== undefined && !isSensitive(labels) && !isDead(resource) && !isReplaced(resource);

const postalCodesIn = ({ address = [] }: fhir4.Patient): string[] =>
  address.flatMap(({ postalCode }) => (postalCode ? [postalCode.replace(/[^A-Za-z0-9]/g, '').toUpperCase()] : []));

const postalFacts = (told: fhir4.Patient): ((patient: fhir4.Patient) => boolean)[] => {
  const codes = postalCodesIn(told);
  return codes.length === 0 ? [] : [(patient) => codes.every((code) => postalCodesIn(patient).includes(code))];
};

/** Looks at all patients of the organisation, and at all that their records say: what support staff are shown of them has no identifiers. */
const onWhole = (context: RequestContext, organization: string): RequestContext => {
  const asking = systemOf(context, organization);
  const store = context.store.whole;
  const sharing = context.sharing.as(asking, { store });
  const { hidesParameter: _none, ...rest } = context;
  return { ...rest, asking, store, sharing, view: new View(asking, store, sharing, context.programmes) };
};

const foundByAny = async (
  context: RequestContext,
  searching: Searching,
  searches: readonly (readonly [string, string])[],
): Promise<StoredRecord[]> => {
  const found = await Promise.all(searches.map((search) => foundBy(context, searching, [search])));
  return [...new Map(found.flat().map((record) => [record.id, record])).values()];
};

const named = async (context: RequestContext, { reference = '' }: fhir4.Reference): Promise<StoredRecord[]> => {
  const parsed = parseReference(reference, context.request.baseUrl);
  if (parsed.kind !== 'record' || parsed.type !== 'Patient') return [];
  const address = await locate(context, 'Patient', parsed.id);
  return address ? context.store.readMany([address]) : [];
};

const answer = (parameter: fhir4.ParametersParameter[]): Answer => ({
  statusCode: 200,
  resource: { resourceType: 'Parameters', parameter },
});
