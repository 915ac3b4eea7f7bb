import type { Grant } from '../../access/door.ts';
import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { Again } from '../../http/routes.ts';
import { communication } from '../../record-types/communication.ts';
import type { RecordType } from '../../record-types/define-record-type.ts';
import { task } from '../../record-types/task.ts';
import { doorRow } from '../../store/door-rows.ts';
import { grantKey } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Answer, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { systemOf } from '../own-system.ts';
import type { PlannedWrite } from '../plan-write.ts';
import { notFound } from '../require-access.ts';
import { requireClinician } from './clinicians.ts';
import { breakGlassInput } from './input.ts';
import { noticeFor } from './notice.ts';
import type { Writing } from './operations.ts';
import { type Naming, reviewFor } from './review.ts';

const shortestReason = 10;
const longestReason = 2_000;
/** Whatever a deployment says. */
const mostMinutes = 12 * 60;
const minute = 60_000;

/**
 * `Patient/{id}/$break-glass`: for a time, the caller alone reads of this chart what other organisations keep, and writes about the patient. In the same transaction
 * the privacy officers of the organisations concerned get something to review, and the patient gets to know.
 *
 * @throws RecordError `not-found` for a patient that there is not; `invalid` for another purpose, or hardly a reason.
 */
export const breakGlass = async (
  context: RequestContext,
  id: string,
  { newPlace, planCreate, save }: Writing,
): Promise<Answer> => {
  const organization = requireClinician(context, 'r');
  const { purpose, reason } = readInput(context, breakGlassInput);
  if (purpose !== 'BTG') throw invalid('purpose', 'The purpose is BTG');
  const because = reason.trim();
  if (because.length < shortestReason || because.length > longestReason)
    throw invalid('reason', `The reason has ${shortestReason} to ${longestReason} letters`);
  const { store, sharing, audit, now, asking } = context;
  const address = await locate(context, 'Patient', id);
  if (!address) throw notFound(context);
  const { chart } = address;
  const until = now + Math.min(context.policy.breakGlassMinutes, mostMinutes) * minute;
  await audit.traced(
    { interaction: 'operation', chart, what: [`Patient/${id}`], query: 'Patient/$break-glass', emergency: true },
    async () => {
      const [patient] = await Promise.all([store.read(address), sharing.lookUp([address])]);
      if (!patient?.resource) return undefined;
      const keeper = patient.custodian;
      const concerned = new Set([keeper, ...(sharing.known(chart)?.organizations ?? [])]);
      const names = [asking.caller.fhirUser, ...[organization, ...concerned].map((each) => `Organization/${each}`)];
      const told = {
        naming: await namingOf(context, names),
        patient: patient as StoredRecord & { resource: Resource },
        caller: asking.caller,
        because,
        now,
        until,
      };
      const asked: [RecordType, string, Resource][] = [
        ...[...concerned]
          .filter((each) => each === keeper || each !== organization)
          .map((each): [RecordType, string, Resource] => [task, each, reviewFor(each, told)]),
        [communication, keeper, noticeFor(keeper, told)],
      ];
      const plans = await Promise.all(
        asked.map(async ([recordType, custodian, resource]): Promise<PlannedWrite> => {
          const own = { ...context, recordType, asking: systemOf(context, custodian) };
          const plan = await planCreate(own, { resource, warnings: [] }, await newPlace(own, resource));
          // That the patient is there. Who asks, and for whom, may be in another directory: it must not stop anybody now.
          return { ...plan, checks: [{ address, label: `${recordType.name}.subject` }] };
        }),
      );
      const grant: Grant = {
        kind: 'grant',
        subject: asking.caller.subject,
        organization,
        keeper,
        from: now,
        until,
      };
      const row = doorRow(grantKey(chart, store.ids.newPlace(now)), 1, grant);
      const [first, ...others] = plans;
      if (first) await save(context, [{ ...first, claims: [...first.claims, row] }, ...others], () => [answer(until)]);
      return patient;
    },
    (patient) => {
      if (!patient) throw notFound(context);
    },
  );
  return answer(until);
};

/** The answer of `$break-glass` that is sent again: until when the chart was opened, to who is still a clinician. It opens nothing anew. */
export const brokenAgain: Again = async (context, _target, kept) => {
  requireClinician(context, 'r');
  return kept;
};

/** A record by its reference, as long as there is one: whoever changes what names it has to name what is there. */
const namingOf = async (context: RequestContext, names: readonly string[]): Promise<Naming> => {
  const addresses = await Promise.all(
    names.map((name) => {
      const [type = '', id = ''] = name.split('/');
      return locate(context, type, id);
    }),
  );
  const there = await context.store.readMany(addresses.filter((each) => each !== undefined));
  const known = new Set(there.flatMap(({ type, id, resource }) => (resource ? [`${type}/${id}`] : [])));
  return (name) => (known.has(name) ? { reference: name } : { display: name });
};

const answer = (until: number): Answer => ({
  statusCode: 200,
  resource: {
    resourceType: 'Parameters',
    parameter: [{ name: 'until', valueInstant: new Date(until).toISOString() }],
  },
});

const invalid = (expression: string, message: string) => new RecordError('invalid', message, { expression });
