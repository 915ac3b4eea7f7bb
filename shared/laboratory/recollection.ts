import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import type { Raised, RecordChange } from '../record-types/define-record-type.ts';
import { nurses } from '../work/pools.ts';
import { isOpen } from '../work/worklists.ts';

const work = 'https://concord.example/fhir/CodeSystem/work';

/** To take a specimen once more. */
const recollectSpecimen: fhir4.CodeableConcept = {
  coding: [{ system: work, code: 'recollect-specimen', display: 'Take this specimen again' }],
};

const isToRecollect = ({ code }: fhir4.Task): boolean =>
  code?.coding?.some((each) => each.system === work && each.code === 'recollect-specimen') ?? false;

/** What came so long ago was taken again since, wherever it comes from. Milliseconds. */
const longAgo = 30 * 86_400_000;

/** When the laboratory had it, else when it was taken; undefined where nothing is said. Milliseconds since 1970. */
const heldAt = ({ receivedTime, collection }: fhir4.Specimen): number | undefined => {
  const time = Date.parse(
    receivedTime ??
      collection?.collectedDateTime ??
      collection?.collectedPeriod?.end ??
      collection?.collectedPeriod?.start ??
      '',
  );
  return Number.isNaN(time) ? undefined : time;
};

/**
 * What an unsatisfactory specimen calls for: it is taken again, and its orders need another one. Nothing of that is to be done once it is found usable, or was entered in error.
 */
export const recollect = ({ name, before, next, now, baseUrl }: RecordChange): readonly Raised[] => {
  const [was, specimen] = [before, next] as unknown as [fhir4.Specimen | undefined, fhir4.Specimen | undefined];
  if (specimen?.status === 'unsatisfactory') {
    const isOld = !was && now - (heldAt(specimen) ?? now) > longAgo;
    if (was?.status === 'unsatisfactory' || isOld) return [];
    return [{ specimenFor: ordersOf(specimen, baseUrl), insteadOf: name }];
  }
  if (was?.status === 'unsatisfactory' && specimen?.status !== 'unavailable')
    return [{ of: 'Task', changes: (task) => recollectionOver(task, name, now) }];
  return [];
};

/** `ServiceRequest/id` of what it was taken for. */
const ordersOf = ({ request = [] }: fhir4.Specimen, baseUrl: string): readonly string[] => [
  ...new Set(
    request.flatMap(({ reference = '' }) => {
      const parsed = parseReference(reference, baseUrl);
      return parsed.kind === 'record' && parsed.type === 'ServiceRequest' ? [`ServiceRequest/${parsed.id}`] : [];
    }),
  ),
];

const recollectionOver = (resource: Resource, specimen: string, now: number): Resource | undefined => {
  const task = resource as unknown as fhir4.Task;
  if (!isToRecollect(task) || !isOpen(task) || task.focus?.reference !== specimen) return undefined;
  return {
    ...task,
    status: 'cancelled',
    statusReason: { text: 'The specimen is of use after all, or was not what it seemed' },
    ...(Date.parse(task.authoredOn ?? '') > now ? {} : { lastModified: new Date(now).toISOString() }),
  } as unknown as Resource;
};

const hour = 3_600_000;
/** Within which time a specimen is taken again, by the priority of its order: afterwards whoever has ordered is told. Milliseconds. */
const within: Readonly<Record<string, number>> = { stat: hour, asap: 2 * hour, urgent: 4 * hour };
const routinely = 24 * hour;

/**
 * The task to take a specimen again, for those who collect; once it is overdue, for whoever has ordered, too.
 *
 * @param order - what it was taken for; undefined if that is not known.
 * @param patient - reference to whose it is.
 */
export const taskToRecollect = (
  specimen: string,
  order: { readonly name: string; readonly resource: Resource } | undefined,
  { patient, now }: { readonly patient: fhir4.Reference | undefined; readonly now: number },
): Resource => {
  const { requester, priority } = (order?.resource ?? {}) as Partial<fhir4.ServiceRequest>;
  const task: fhir4.Task = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    ...(priority === undefined ? {} : { priority }),
    code: recollectSpecimen,
    description: 'This specimen cannot be examined. Take another one',
    focus: { reference: specimen },
    ...(order ? { basedOn: [{ reference: order.name }] } : {}),
    ...(patient ? { for: patient } : {}),
    ...(requester && /(?:^|\/)Practitioner(?:Role)?\//.test(requester.reference ?? '') ? { requester } : {}),
    authoredOn: new Date(now).toISOString(),
    performerType: [nurses],
    restriction: { period: { end: new Date(now + (within[priority ?? ''] ?? routinely)).toISOString() } },
  };
  return task as unknown as Resource;
};

/** An order without a specimen that is of no use; the same where it does not name it. */
export const withoutSpecimen = (order: Resource, specimen: string): Resource => {
  const { specimen: had, ...rest } = order as unknown as fhir4.ServiceRequest;
  const left = (had ?? []).filter(
    ({ reference = '' }) => !(reference === specimen || reference.endsWith(`/${specimen}`)),
  );
  if (left.length === (had ?? []).length) return order;
  return { ...rest, ...(left.length === 0 ? {} : { specimen: left }) } as unknown as Resource;
};
