import type { Resource } from '../../fhir/resource.ts';
import type { Remark } from '../../hl7-v2/acknowledgement.ts';
import { type Content, thePatient, theVisit } from '../../hl7-v2/mapping/messages.ts';
import type { Stamp, Told } from '../../hl7-v2/told.ts';
import { withTold } from '../../hl7-v2/told.ts';
import { Unfit } from '../../hl7-v2/unfit.ts';
import { inParallel } from '../../store/in-parallel.ts';
import type { Address } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { frontDesk } from '../../work/pools.ts';
import { type ConditionalMatch, conditionalMatch } from '../conditional-match.ts';
import { type NewPlace, newPlace, type PlannedWrite, planCreate } from '../plan-write.ts';
import { possibleDuplicates, traceDuplicates } from '../registering/duplicates.ts';
import { planPutByCondition } from '../update.ts';
import { withReferences } from './directory.ts';
import { withReportsBefore } from './late-orders.ts';
import { tellsOfSomebodyElse } from './somebody-else.ts';
import { byIdentifier, contextOf, type FilingContext } from './typed.ts';

/** Records of a message that are looked up beside one another. */
const atOnce = 8;

/** What is to be written of a message. */
export interface Filing {
  readonly plans: readonly PlannedWrite[];
  readonly remarks: readonly Remark[];
}

/** A record of a message: what is there, and where it will be. */
interface Found {
  readonly told: Told;
  readonly match: ConditionalMatch;
  readonly place: NewPlace | undefined;
}

/**
 * Plans what a message comes to: each record by the identifier that messages name it by, as it is once the message has told of it. What it says nothing new of is not written.
 *
 * @throws Unfit `patient-unknown`, `patient-ambiguous`; RecordError whatever stands against a write.
 */
export const planFiling = async (
  context: FilingContext,
  { patient, mayCreatePatient, others, described = [] }: Content,
  stamp: Stamp,
): Promise<Filing> => {
  const matchOf = ({ type, key }: Told) => matching(context, type, key);
  const [whom, ...matches] = await Promise.all([matchOf(patient), inParallel(atOnce, others, matchOf)]).then(
    ([first, rest]) => [first, ...rest] as const,
  );
  if (!whom.matches[0] && !mayCreatePatient)
    throw new Unfit('patient-unknown', 'No patient has this identifier yet', 'PID-3');
  if (whom.matches[0] && (await tellsOfSomebodyElse(described, whom.matches[0])))
    throw new Unfit('patient-ambiguous', 'The patient of this number has another name and another birth date', 'PID-3');
  const known = new Map<string, Address>(context.known);
  const own = { ...context, known };
  const names = new Map<string, string>();
  const found = new Map<string, Promise<string | undefined>>();
  const remarks: Remark[] = [];
  const placed = async (told: Told, match: ConditionalMatch): Promise<Found> => {
    if (match.matches[0]) return { told, match, place: undefined };
    // Where a record will be depends on its patient and its date.
    const body = await resourceOf(own, { told, match, place: undefined }, stamp, names, found);
    const place = await newPlace(contextOf(own, told.type), body.resource as Resource);
    known.set(`${told.type}/${place.id}`, place.address);
    return { told, match, place };
  };
  const named = ({ told, match, place }: Found): string => `${told.type}/${match.matches[0]?.id ?? place?.id ?? ''}`;
  const head = await placed(patient, whom);
  names.set(thePatient, named(head));
  const visitAt = others.findIndex(({ type }) => type === 'Encounter');
  const all: Found[] = [head];
  const settle = async (index: number) => {
    const [told, match] = [others[index], matches[index]];
    if (!told || !match) throw new Error('What a message tells of was not looked up');
    const record = await placed(told, match);
    all.push(record);
    return record;
  };
  if (visitAt >= 0) names.set(theVisit, named(await settle(visitAt)));
  for (const index of others.keys()) if (index !== visitAt) await settle(index);
  const plans = await inParallel(atOnce, distinct(all), async (record): Promise<PlannedWrite[]> => {
    const { resource, changed, overtaken } = await resourceOf(own, record, stamp, names, found);
    if (overtaken.length > 0) remarks.push(overtakenBy(record.told.type, overtaken.length));
    if (!changed) return [];
    const { type } = record.told;
    const put = contextOf(own, type, { body: resource });
    return [await planPutByCondition(put, record.match, { place: record.place })];
  });
  const flat = await withReportsBefore(own, plans.flat());
  const fresh = head.place ? flat.find(({ next }) => next.type === 'Patient') : undefined;
  return { plans: [...flat, ...(fresh ? await duplicateTasks(own, fresh) : [])], remarks };
};

/** @throws Unfit `patient-ambiguous` where several records bear the identifier. */
const matching = async (context: FilingContext, type: string, key: Told['key']): Promise<ConditionalMatch> => {
  const match = await conditionalMatch(contextOf(context, type), byIdentifier(key), 'identifier', 2);
  if (match.matches.length > 1)
    throw new Unfit(
      type === 'Patient' ? 'patient-ambiguous' : 'not-filed',
      `Several records of ${type} have the identifier by which it is named`,
      type === 'Patient' ? 'PID-3' : 'MSH-9',
      'multiple-matches',
    );
  return match;
};

/** A message may tell of the same thing twice, such as an allergy to two reactions: the first of them counts, as in each order it would. */
const distinct = (all: readonly Found[]): Found[] => [
  ...new Map(
    [...all].reverse().map((each) => [`${each.told.type} ${each.told.key.system}|${each.told.key.value}`, each]),
  ).values(),
];

const resourceOf = async (
  context: FilingContext,
  { told, match: { matches } }: Found,
  stamp: Stamp,
  names: ReadonlyMap<string, string>,
  found: Map<string, Promise<string | undefined>>,
) => {
  const [current] = matches as readonly (StoredRecord | undefined)[];
  const spoken = (await withReferences(
    context,
    { cells: told.cells, initially: told.initially },
    names,
    found,
  )) as Pick<Told, 'cells' | 'initially'>;
  return withTold(current?.resource, { ...told, ...spoken }, stamp);
};

const overtakenBy = (type: string, count: number): Remark => ({
  severity: 'I',
  reason: 'overtaken',
  message: `A later message has told of ${count} element(s) of ${type} already`,
  at: 'MSH-7',
});

/** Who may be somebody who is there already is registered all the same, for the message tells of a fact; and whoever registers people is asked to look. */
const duplicateTasks = async (context: FilingContext, { next }: PlannedWrite): Promise<PlannedWrite[]> => {
  const { duplicates } = await possibleDuplicates(
    contextOf(context, 'Patient'),
    next.resource as unknown as fhir4.Patient,
  );
  const others = duplicates.filter(({ record }) => record.id !== next.id);
  if (others.length === 0) return [];
  const own = contextOf(context, 'Patient');
  await traceDuplicates(own, others);
  const resource: Omit<fhir4.Task, 'id'> = {
    resourceType: 'Task',
    status: 'requested',
    intent: 'order',
    code: { coding: [{ system: 'https://concord.example/fhir/CodeSystem/work', code: 'possible-duplicate' }] },
    description:
      'A message has registered a patient who may be registered already. Compare the two, and merge them if they are one',
    for: { reference: `Patient/${next.id}` },
    focus: { reference: `Patient/${next.id}` },
    performerType: [frontDesk],
    authoredOn: new Date(context.now).toISOString(),
    input: others.map(({ record, grade }) => ({
      type: { text: `may be this person: ${grade}` },
      valueReference: { reference: `Patient/${record.id}` },
    })),
  };
  const task = contextOf(context, 'Task');
  return [
    await planCreate(
      task,
      { resource: resource as unknown as Resource, warnings: [] },
      await newPlace(task, resource as unknown as Resource),
    ),
  ];
};
