import { agesOf } from '../../access/proxies/ages.ts';
import type { Emancipation, Grant, Recorded } from '../../access/proxies/grant.ts';
import { type Standing, standingOf } from '../../access/proxies/standing.ts';
import { isOwnChart, type LegalBasis, legalBases } from '../../access/question.ts';
import { isScoped } from '../../access/rules/scope.ts';
import { RecordError } from '../../errors.ts';
import { addressOf } from '../../fhir/addresses.ts';
import type { Again } from '../../http/routes.ts';
import { dateInterval } from '../../search/date-range.ts';
import type { RefusalCode } from '../../stable-codes.ts';
import { type Proxies, proxiesOf, proxyRow } from '../../store/proxy-rows.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Interaction, RequestContext, Target } from '../context.ts';
import { locate } from '../locate.ts';
import { lookAt } from '../look-at.ts';
import { readInput } from '../operation-input.ts';
import { notFound } from '../require-access.ts';
import { tryOnce } from '../try-once.ts';
import { emancipateInput, endProxyInput, grantProxyInput, recordedInput } from './input.ts';

// Who may act for a patient is recorded by the staff of the organisation that keeps the Patient: the front desk, which sees the papers; privacy officers, whom law
// makes answer for it; physicians, who alone find that a patient cannot decide. Nobody else, the patient's representatives included, makes representatives.
const recorders = ['frontdesk', 'physician', 'privacy'] as const;
const readers = [...recorders, 'nurse'] as const;

/** Letters of evidence in words, at least: who saw what, when. */
const shortestEvidence = 10;

/**
 * `POST Patient/{id}/$grant-proxy`: records that somebody may act for the patient, by which right and on what evidence. Replaces what was recorded of the same
 * person. In force with that person's next request.
 *
 * @throws RecordError `forbidden`, `not-found`, `invalid`; `business-rule` for a right that is not in force and will not be by time or activation alone.
 */
export const grantProxy: Interaction = async (context, target) => {
  const input = readInput(context, grantProxyInput);
  const basis = one(legalBases, input.basis, 'basis');
  const rights = one(['read', 'act'] as const, input.rights ?? 'read', 'rights');
  const { start, end } = input.period ?? {};
  const { now, asking } = context;
  if (input.activated !== undefined && !asking.caller.roles.includes('physician'))
    throw refused('A physician finds that the patient cannot decide', 'activated', 'not-licensed');
  const person = personNamed(input.proxy);
  const said = described({ basis, rights, proxy: person, period: `${start ?? ''}/${end ?? ''}` });
  const { patient, chart } = await patientFor(context, target, `$grant-proxy?${said}`, recorders);
  const grant: Grant = {
    kind: 'grant',
    proxy: await requirePerson(context, person, chart),
    basis,
    rights,
    from: start === undefined ? undefined : time(start, 'period').start,
    until: end === undefined ? undefined : time(end, 'period').end,
    activated: input.activated === undefined ? undefined : time(input.activated, 'activated').start,
    granted: await recorded(context, input.evidence, chart),
  };
  const { emancipation } = await proxiesOf(context.store, chart);
  const standing = standingIn(context, grant, patient, emancipation);
  if (standing !== 'in-force' && standing !== 'not-yet' && standing !== 'not-activated') {
    const code = `proxy-${standing}` as const;
    throw refused(reasons[code], 'basis', code);
  }
  await put(context, chart, grant);
  return answer(context, patient, { grants: [grant], emancipation }, now);
};

/**
 * `POST Patient/{id}/$end-proxy`: nobody acts for the patient by this right any more, from the next request on.
 *
 * @throws RecordError `forbidden`, `not-found`, `invalid`.
 */
export const endProxy: Interaction = async (context, target) => {
  const input = readInput(context, endProxyInput);
  const person = personNamed(input.proxy);
  const { patient, chart } = await patientFor(context, target, `$end-proxy?${described({ proxy: person })}`, recorders);
  const { grants, emancipation } = await proxiesOf(context.store, chart);
  const grant = grants.find(({ proxy }) => proxy === person);
  if (!grant) throw refused('Nobody of this name acts for the patient', 'proxy', 'no-such-proxy');
  const ended: Grant = { ...grant, ended: grant.ended ?? (await recorded(context, input.evidence, chart)) };
  await put(context, chart, ended);
  return answer(context, patient, { grants: [ended], emancipation }, context.now);
};

/**
 * `POST Patient/{id}/$emancipate`: records since when a minor decides alone. That ends what parents and guardians may, by itself.
 *
 * @throws RecordError `forbidden`, `not-found`, `invalid`.
 */
export const emancipate: Interaction = async (context, target) => {
  const input = readInput(context, emancipateInput);
  const { patient, chart } = await patientFor(context, target, '$emancipate', recorders);
  const since = input.since === undefined ? context.now : time(input.since, 'since').start;
  const emancipation: Emancipation = {
    kind: 'emancipation',
    since,
    recorded: await recorded(context, input.evidence, chart),
  };
  await put(context, chart, emancipation);
  return answer(context, patient, { ...(await proxiesOf(context.store, chart)), emancipation }, context.now);
};

/**
 * The answer of any of these that is sent again: how what was recorded of the same person stands by now, to who may still record it.
 *
 * @throws RecordError `forbidden`, `not-found`.
 */
export const recordedAgain: Again = async (context, target) => {
  const { patient, chart } = await patientFor(context, target, '$proxies', recorders);
  const { grants, emancipation } = await proxiesOf(context.store, chart);
  const { proxy } = readInput(context, recordedInput);
  const person = proxy && personNamed(proxy);
  return answer(
    context,
    patient,
    { grants: grants.filter((grant) => !person || grant.proxy === person), emancipation },
    context.now,
  );
};

/** `GET Patient/{id}/$proxies`: who may act for the patient, or might, by which right, on whose word, and whether that is in force. For staff, and the patient. */
export const proxiesOfPatient: Interaction = async (context, target) => {
  readInput(context, {});
  const { patient, chart } = await patientFor(context, target, '$proxies', readers);
  return answer(context, patient, await proxiesOf(context.store, chart), context.now);
};

const reasons: Readonly<Record<`proxy-${Exclude<Standing, 'in-force' | 'not-yet' | 'not-activated'>}`, string>> = {
  'proxy-ended': 'The period is over',
  'proxy-age-unknown': 'Without a date of birth nobody knows until when others decide for the patient',
  'proxy-of-age': 'The patient is of age, or emancipated, and decides alone',
  'proxy-deceased': 'The patient has died: an executor acts now',
  'proxy-not-deceased': 'The patient is alive: an executor acts only after that',
};

const refused = (message: string, expression: string, reason: RefusalCode<'business-rule'>): RecordError =>
  new RecordError('business-rule', message, { expression, reason });

const invalid = (message: string, expression: string): RecordError =>
  new RecordError('invalid', message, { expression });

const one = <Choice extends string>(choices: readonly Choice[], text: string, expression: string): Choice => {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw invalid(`One of ${choices.join(', ')}`, expression);
  return found;
};

const time = (text: string, expression: string) => {
  const interval = dateInterval(text);
  if (!interval) throw invalid('This is no date', expression);
  return interval;
};

const described = (values: Readonly<Record<string, string>>): string => new URLSearchParams(values).toString();

const standingIn = (
  { now, policy }: Pick<RequestContext, 'now' | 'policy'>,
  grant: Grant,
  patient: fhir4.Patient,
  emancipation: Emancipation | undefined,
): Standing => standingOf(grant, patient, emancipation, agesOf(policy.jurisdiction), now);

/** The patient, to who may record or read who acts for them. The trace is written beside the read, and before anything is changed. */
const patientFor = async (
  context: RequestContext,
  { id }: Target,
  said: string,
  allowed: readonly string[],
): Promise<{ readonly patient: fhir4.Patient; readonly chart: string }> => {
  const { asking, recordType, request } = context;
  const { caller, proxy } = asking;
  const action = request.method === 'POST' ? 'u' : 'r';
  if (!isScoped(caller, action, recordType.name))
    throw new RecordError('forbidden', `No scope of the access token covers this for ${recordType.name}`, {
      reason: 'forbidden-scope',
    });
  const isPatient = action === 'r' && caller.organization === undefined && !proxy;
  if (!isPatient && !caller.roles.some((role) => allowed.includes(role)))
    throw new RecordError('forbidden', 'Your role does not allow this', { reason: 'forbidden-role' });
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const may = (record: StoredRecord) =>
    isPatient ? isOwnChart(asking, record.chart) : record.custodian === caller.organization;
  const what = [`${recordType.name}/${id}`];
  const look = { interaction: 'operation', what, query: `${what[0]}/${said}`, may } as const;
  const found = await lookAt(context, address, look, (record) => {
    if (!record?.resource || !may(record)) throw notFound(context);
  });
  return { patient: found?.resource as unknown as fhir4.Patient, chart: address.chart };
};

const personNamed = ({ reference = '' }: fhir4.Reference): string => {
  const address = addressOf(reference);
  if (!address?.here || !/^(Patient|RelatedPerson)\//.test(address.name))
    throw invalid('A proxy is a RelatedPerson of the patient, or a Patient, by the reference of their record', 'proxy');
  return address.name;
};

/** Whoever acts for a patient has a record that the organisation keeps: a RelatedPerson of that patient, or one as somebody else's Patient. */
const requirePerson = async (context: RequestContext, name: string, chart: string): Promise<string> => {
  const record = await recordNamed(context, name);
  const isSomebody = record?.type === 'RelatedPerson' ? record.chart === chart : record?.chart !== chart;
  if (!record?.resource || !isSomebody || record.custodian !== context.asking.caller.organization)
    throw invalid('There is no such person who could act for the patient', 'proxy');
  return name;
};

const recordNamed = async (context: RequestContext, name: string): Promise<StoredRecord | undefined> => {
  const [type = '', id = ''] = name.split('/');
  const address = await locate(context, type, id);
  return address && context.store.read(address);
};

/** What is recorded, and by whom: a document of this chart, or in words what was seen. */
const recorded = async (
  context: RequestContext,
  { reference, display }: fhir4.Reference,
  chart: string,
): Promise<Recorded> => {
  const { caller } = context.asking;
  const by = { at: context.now, by: caller.fhirUser, organization: caller.organization ?? '' };
  if (reference === undefined) {
    const text = (display ?? '').trim();
    if (text.length < shortestEvidence)
      throw invalid('Name a document of the chart, or say in words what was seen', 'evidence');
    return { ...by, evidence: { text } };
  }
  const address = addressOf(reference);
  const record = address?.name.startsWith('DocumentReference/') ? await recordNamed(context, address.name) : undefined;
  if (!address?.here || !record?.resource || record.chart !== chart || record.custodian !== caller.organization)
    throw invalid('Evidence is a DocumentReference of the chart', 'evidence');
  return { ...by, evidence: { reference: address.name } };
};

const put = async (context: RequestContext, chart: string, fact: Grant | Emancipation): Promise<void> => {
  const TableName = context.store.tableName;
  // Of what is kept nothing says who acts for whom: the row does.
  const refused = await tryOnce(context, [{ Put: { TableName, Item: { ...proxyRow(chart, fact) } } }], {
    statusCode: 200,
  });
  if (refused) throw new RecordError('throttled', 'The chart is busy; try again', { headers: { 'Retry-After': '1' } });
};

/** https://terminology.hl7.org/ValueSet-v3-PersonalRelationshipRoleType.html and its neighbours. */
const relationships: Readonly<Record<LegalBasis, string>> = {
  parent: 'PRN',
  guardian: 'GUARD',
  attorney: 'HPOWATT',
  executor: 'EXCEST',
};

const answer = (context: RequestContext, patient: fhir4.Patient, { grants, emancipation }: Proxies, now: number) => {
  const at = (instant: number) => new Date(instant).toISOString();
  const evidenceOf = ({ reference, text }: Recorded['evidence']): fhir4.Reference =>
    reference === undefined ? { display: text ?? '' } : { reference };
  const told = (name: string, { at: when, by, evidence }: Recorded): fhir4.ParametersParameter => ({
    name,
    part: [
      { name: 'at', valueInstant: at(when) },
      { name: 'by', valueReference: { reference: by } },
      { name: 'evidence', valueReference: evidenceOf(evidence) },
    ],
  });
  const partOf = (grant: Grant): fhir4.ParametersParameter => ({
    name: 'proxy',
    part: [
      { name: 'person', valueReference: { reference: grant.proxy } },
      {
        name: 'basis',
        valueCodeableConcept: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: relationships[grant.basis] }],
          text: grant.basis,
        },
      },
      { name: 'rights', valueCode: grant.rights },
      { name: 'standing', valueCode: standingIn(context, grant, patient, emancipation) },
      ...(grant.from === undefined && grant.until === undefined
        ? []
        : [
            {
              name: 'period',
              valuePeriod: {
                ...(grant.from === undefined ? {} : { start: at(grant.from) }),
                ...(grant.until === undefined ? {} : { end: at(grant.until - 1) }),
              },
            },
          ]),
      ...(grant.activated === undefined ? [] : [{ name: 'activated', valueInstant: at(grant.activated) }]),
      told('granted', grant.granted),
      ...(grant.ended ? [told('ended', grant.ended)] : []),
    ],
  });
  const resource: fhir4.Parameters = {
    resourceType: 'Parameters',
    parameter: [
      ...grants.map(partOf),
      ...(emancipation
        ? [
            {
              name: 'emancipation',
              part: [{ name: 'since', valueInstant: at(emancipation.since) }, told('recorded', emancipation.recorded)],
            },
          ]
        : []),
      { name: 'asOf', valueInstant: at(now) },
    ],
  };
  return { statusCode: 200, resource };
};
