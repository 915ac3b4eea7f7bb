import { isInScope, isScoped } from '../../access/rules/scope.ts';
import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { builtInPack } from '../../order-checks/built-in.ts';
import { controlledIn } from '../../prescriptions/controlled.ts';
import { isOrder, withUnsignedFlag } from '../../prescriptions/orders.ts';
import { isGiven, takenMark, withManner } from '../../prescriptions/taken-down.ts';
import { keepMarks, withMarks } from '../../signing/signature.ts';
import { answerTo } from '../answers.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { lookAgain } from '../look-again.ts';
import { readInput } from '../operation-input.ts';
import { namingRecords, noFacts, withMedications } from '../order-checks/facts.ts';
import { knowledge } from '../order-checks/knowledge-in-use.ts';
import { parseBody } from '../parse-body.ts';
import { newPlace, planCreate } from '../plan-write.ts';
import { mayAccess } from '../require-access.ts';
import { save } from '../save.ts';
import { notCheckedForControl, requireNotControlled } from './controlled-orders.ts';
import { planAsked } from './cosign-task.ts';
import { takeOrderInput } from './input.ts';
import { requireAlive } from './judge-order.ts';
import { licenceOf } from './licensed.ts';
import { positionToPrescribe } from './physicians-position.ts';
import { replacedBy } from './replaced-order.ts';

/** Who takes orders down, by their roles: who prescribes signs. */
const takers: readonly string[] = ['nurse', 'pharmacist'];

const usualHours = 48;
const hourMs = 3_600_000;

/**
 * `MedicationRequest/$take-order`: an order that a prescriber gives by voice, or that a protocol gives in a prescriber's name, is taken down and in force at once. It is checked in the same write, which tells the prescribers of a clash and refuses nothing; and with it comes a Task for
 * the prescriber to sign it in time. What it replaces (`priorPrescription`) is stopped.
 *
 * @throws RecordError `forbidden`, also for a prescriber without a licence, or who is no physician of the organisation by its directory; `invalid`; `business-rule`, `patient-deceased` or `controlled-substance`.
 */
export const takeOrder: Interaction = async (context) => {
  const recorder = requireTaker(context);
  const { order, given, readBack } = readInput(context, takeOrderInput);
  if (!isGiven(given)) throw invalid('given', 'An order is given by verbal, telephone or protocol');
  if (given !== 'protocol' && readBack !== true)
    throw invalid('readBack', 'An order that is given by voice is read back to who gave it');
  const parsed = parseBody(context.recordType, inForce(order));
  const { resource } = parsed;
  if (!isInScope(context.asking.caller, 'c', 'MedicationRequest', resource)) throw forbidden('forbidden-scope');
  if (!isOrder(resource)) throw invalid('MedicationRequest.intent', 'What is proposed or planned is no order');
  const prescriber = prescriberOf(context, resource, recorder);
  if (given === 'protocol' && !resource['instantiatesCanonical'] && !resource['instantiatesUri'])
    throw invalid('MedicationRequest.instantiatesCanonical', 'An order by a protocol says by which one');
  return lookAgain(async () => {
    const place = await newPlace(context, resource);
    const { chart } = place.address;
    const named = namingRecords(context, resource);
    const [patient, requireLicence, requirePosition, { medications }, pack] = await Promise.all([
      place.address.place === '' ? undefined : context.store.read({ type: 'Patient', chart, place: '' }),
      licenceOf(context, prescriber),
      positionToPrescribe(context, prescriber),
      withMedications(context, noFacts, [named]),
      knowledge(),
    ]);
    requireLicence();
    requirePosition();
    requireAlive(patient?.resource);
    const controlled = controlledIn(
      named as unknown as fhir4.MedicationRequest,
      medications,
      pack ?? (await builtInPack()),
    );
    if (resource['doNotPerform'] !== true) requireNotControlled(controlled);
    const due = context.now + (context.policy.cosignHours ?? usualHours) * hourMs;
    const content = withManner(resource, { given, recorder, now: context.now });
    const mark = takenMark({ recorder, prescriber, given, due, now: context.now });
    const kept = withUnsignedFlag(withMarks(keepMarks(undefined, content), [mark]));
    const { requireChange: _byHand, keeps: _byServer, ...recordType } = context.recordType;
    const warnings = [...parsed.warnings, ...notCheckedForControl(controlled)];
    const plan = {
      ...(await planCreate({ ...context, recordType }, { resource: kept, warnings }, place)),
      recordType: context.recordType,
    };
    const asked = await planAsked(context, plan, { recorder, prescriber, due });
    // What the caller does not see is as if it were not there: then the reference to it is refused.
    const replaced = (await replacedBy(context, plan)).filter(
      ({ previous }) => previous && mayAccess(context, 'r', previous),
    );
    await save(context, [plan, asked, ...replaced], () => [answerTo(context, plan)]);
    return answerTo(context, plan);
  });
};

const invalid = (expression: string, message: string) => new RecordError('invalid', message, { expression });

const forbidden = (reason: 'forbidden-role' | 'forbidden-scope') =>
  new RecordError('forbidden', `Who takes an order down is one of: ${takers.join(', ')}; who prescribes signs it`, {
    reason,
  });

/** Their role lets nobody of them write an order by hand; a scope is needed as for any. */
const requireTaker = ({ asking: { caller } }: RequestContext): string => {
  if (!isScoped(caller, 'c', 'MedicationRequest')) throw forbidden('forbidden-scope');
  if (caller.roles.some((role) => takers.includes(role)) && /^Practitioner(?:Role)?\//.test(caller.fhirUser))
    return caller.fhirUser;
  throw forbidden('forbidden-role');
};

/** What is taken down is in force: a client need not say so, and may say nothing else. */
const inForce = ({ id: _id, ...order }: Resource): Resource => {
  const status = order['status'] ?? 'active';
  if (status !== 'active' && status !== 'draft')
    throw invalid('MedicationRequest.status', 'An order that is taken down is active');
  return { ...order, status: 'active' } as Resource;
};

const prescriberOf = ({ request }: RequestContext, { requester }: Resource, recorder: string): string => {
  const named = parseReference((requester as fhir4.Reference | undefined)?.reference ?? '', request.baseUrl);
  const name = named.kind === 'record' ? `${named.type}/${named.id}` : '';
  if (/^Practitioner(?:Role)?\//.test(name) && name !== recorder) return name;
  throw invalid('MedicationRequest.requester', 'The order names who gave it: a Practitioner or PractitionerRole');
};
