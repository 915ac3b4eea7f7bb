import { randomUUID } from 'node:crypto';
import type { Resource } from '../../fhir/resource.ts';
import { isDirectory } from '../../record-types/subjects.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { receiversOf } from '../amendments/notices.ts';
import type { RequestContext } from '../context.ts';
import { systemOf } from '../own-system.ts';
import { newPlace, type PlannedWrite, planCreate } from '../plan-write.ts';

const system = 'https://concord.example/fhir/CodeSystem/refiling';
type SystemContext = Omit<RequestContext, 'recordType'>;

/**
 * Where the copies come from: who has refiled them, when and why, and a number that the review in the other chart bears, too. It names neither that chart nor the records there, whose ids tell of it.
 * https://hl7.org/fhir/R4/provenance.html
 */
export const originOf = (
  { asking: { caller }, now }: SystemContext,
  { copies, reason }: { readonly copies: readonly string[]; readonly reason: string },
): { readonly number: string; readonly resource: Resource } => {
  const number = `urn:uuid:${randomUUID()}`;
  const origin: fhir4.Provenance = {
    resourceType: 'Provenance',
    target: copies.map((reference) => ({ reference })),
    recorded: new Date(now).toISOString(),
    reason: [{ text: reason }],
    activity: { coding: [{ system, code: 'refiled', display: 'Refiled from the chart of another patient' }] },
    agent: [
      {
        who: { reference: caller.fhirUser },
        ...(caller.organization === undefined
          ? {}
          : { onBehalfOf: { reference: `Organization/${caller.organization}` } }),
      },
    ],
    entity: [{ role: 'source', what: { identifier: { system: 'urn:ietf:rfc:3986', value: number } } }],
  };
  return { number, resource: origin as unknown as Resource };
};

/**
 * Whom the chart tells that a record of it was another person's: its privacy officers by a Task for a review, and each other organisation that has read it here by a Task that this organisation keeps and is told of by
 * an event. None of them says what the records said, nor whose they are.
 *
 * @param context - of Tasks.
 */
export const toldOfRefiling = async (
  context: RequestContext,
  records: readonly StoredRecord[],
  number: string,
): Promise<PlannedWrite[]> => {
  const [first] = records;
  if (!first) return [];
  const names = records.map(({ type, id }) => `${type}/${id}`);
  const { received, recorded } = await receiversOf(context, first, names);
  const keep = context.asking.caller.organization ?? first.custodian;
  const tasks = [
    taskFor(context, first, number, {
      owner: keep,
      code: 'review',
      display: 'A record was in the wrong chart',
      description: [
        'Records of another person stood in this chart, and are sealed. Their types:',
        `${[...new Set(records.map(({ type }) => type))].join(', ')}.`,
        'Look at who has seen them (AuditEvent, and $disclosures of the patient), tell those who have to know, and close this with a statement.',
        ...(recorded ? ['Something of this chart was disclosed otherwise than here, too.'] : []),
      ].join(' '),
    }),
    ...[...received].map(([owner, itself]) =>
      taskFor(context, first, number, {
        owner,
        code: 'notice',
        display: 'What was read of this patient was of another one',
        description: itself
          ? 'A record of this chart that your organisation has read was of another person, and is there no more. Take back what rests on it.'
          : 'A record of this chart that your organisation may have read was of another person, and is there no more. Read again what you rely on.',
      }),
    ),
  ];
  return Promise.all(
    tasks.map(async ({ owner, resource }) => {
      const { requireChange: _byHand, ...recordType } = context.recordType;
      const own = { ...context, recordType, asking: systemOf(context, owner), unseen: isDirectory };
      const plan = await planCreate(own, { resource, warnings: [] }, await newPlace(own, resource));
      return { ...plan, checks: [] };
    }),
  );
};

const taskFor = (
  { now }: SystemContext,
  { chart }: StoredRecord,
  number: string,
  { owner, code, display, description }: Readonly<Record<'owner' | 'code' | 'display' | 'description', string>>,
): { readonly owner: string; readonly resource: Resource } => {
  const told: fhir4.Task = {
    resourceType: 'Task',
    identifier: [{ system: 'urn:ietf:rfc:3986', value: number }],
    status: 'requested',
    intent: 'order',
    priority: 'urgent',
    code: { coding: [{ system, code, display }] },
    description,
    for: { reference: `Patient/${chart}` },
    authoredOn: new Date(now).toISOString(),
    owner: { reference: `Organization/${owner}` },
    ...(code === 'review' ? { performerType: [{ text: 'Privacy officer' }] } : {}),
  };
  return { owner, resource: told as unknown as Resource };
};
