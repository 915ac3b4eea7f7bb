import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { type PlannedWrite, planUpdate } from '../plan-write.ts';

/** What may be taken, as checks count it. */
const inForce: ReadonlySet<unknown> = new Set(['active', 'on-hold', 'unknown']);

/** The order that another one replaces (`priorPrescription`), as an organisation may stop it: in the same chart, in force, and its own. */
export const orderReplacedBy = async (
  context: Omit<RequestContext, 'recordType'>,
  chart: string,
  { priorPrescription }: Pick<fhir4.MedicationRequest, 'priorPrescription'>,
  custodian: string,
): Promise<(StoredRecord & { readonly resource: Resource }) | undefined> => {
  const named = parseReference(priorPrescription?.reference ?? '', context.request.baseUrl);
  if (named.kind !== 'record' || named.type !== 'MedicationRequest') return undefined;
  const address = await locate(context, named.type, named.id);
  const prior = address?.chart === chart ? await context.store.read(address) : undefined;
  if (!prior?.resource || prior.custodian !== custodian || !inForce.has(prior.resource['status'])) return undefined;
  return { ...prior, resource: prior.resource };
};

/**
 * The order that a signed one replaces (`priorPrescription`), stopped: so a change of a dose never leaves both in force, or neither. Nothing for one that is over, or that another organisation
 * keeps: that is theirs to stop.
 *
 * @see https://hl7.org/fhir/R4/medicationrequest-definitions.html#MedicationRequest.priorPrescription
 */
export const replacedBy = async (context: RequestContext, { next }: PlannedWrite): Promise<PlannedWrite[]> => {
  const prior = await orderReplacedBy(
    context,
    next.chart,
    (next.resource ?? {}) as Pick<fhir4.MedicationRequest, 'priorPrescription'>,
    next.custodian,
  );
  if (!prior) return [];
  const resource = {
    ...prior.resource,
    status: 'stopped',
    statusReason: { text: `Replaced by ${next.type}/${next.id}` },
  };
  return [await planUpdate(context, { resource, warnings: [] }, prior)];
};
