import { isPsychotherapyNote, part2Label } from '../access/labels.ts';
import { identifiesProgramme } from '../access/programmes.ts';
import { RecordError } from '../errors.ts';
import { recordsNamedIn } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import type { Subject } from '../record-types/subjects.ts';
import type { ExistenceCheck } from '../store/commit.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import type { PlannedWrite } from './plan-write.ts';
import { withNotice } from './programme-labels.ts';

const labelsOf = (resource: Resource): string[] =>
  (resource.meta?.security ?? []).map(({ system, code }) => `${system ?? ''}|${code ?? ''}`);

/** What a version says, with what its labels come to. */
interface Labelled {
  readonly version: Pick<StoredRecord, 'resource' | 'labels' | 'originators'>;
  readonly warnings: readonly ValidationIssue[];
}

/** What is to be written of a record. */
interface Written {
  readonly resource: Resource;
  readonly custodian: string;
  /** The version that it replaces. */
  readonly current?: StoredRecord | undefined;
  /** Whether nothing but labels is changed. */
  readonly labelsAlone?: boolean;
}

/**
 * What is to be written, with its labels, on every path: create, update, patch, transaction, change of labels.
 *
 * @throws RecordError `forbidden` for who takes off what the source of a record has put on; as sealOfNote does.
 */
export const labelled = async (context: RequestContext, written: Written): Promise<Labelled> => {
  const resource = isOfProgramme(context, written) ? withNotice(written.resource) : written.resource;
  const labels = labelsOf(resource);
  if (!labels.some(isPsychotherapyNote)) {
    return { version: { resource, labels, originators: sealedByContext(written) }, warnings: [] };
  }
  const { sealOfNote } = await import('./psychotherapy-note.lazy.ts');
  const { seal, warnings } = sealOfNote(context, resource, written.current);
  return { version: { resource, labels, ...seal }, warnings };
};

/** Who alone may see a Binary whose rights are a psychotherapy note's: that is found out with each write that says whose they are, and labels alone change nothing of it. */
const sealedByContext = ({ current, labelsAlone }: Written): readonly string[] | undefined =>
  labelsAlone && current?.type === 'Binary' && !current.labels.some(isPsychotherapyNote)
    ? current.originators
    : undefined;

/** What is about no patient, whatever it names. */
const aboutNobody: ReadonlySet<Subject> = new Set(['directory', 'availability', 'knowledge', 'subscriptions']);

/**
 * The same check of what a record names: of a visit, one that refuses what does not bear the label if the visit does. A condition costs no call; to read the visit
 * first would cost one with each write.
 */
export const unlessOfProgramme = (
  { programmes, recordType }: Pick<RequestContext, 'programmes' | 'recordType'>,
  labels: readonly string[],
  name: string,
  check: ExistenceCheck,
): ExistenceCheck =>
  programmes.size > 0 && name.startsWith('Encounter/') && mayBecomeOfProgramme(recordType, labels)
    ? { ...check, without: { label: part2Label, name } }
    : check;

/**
 * Notes the visits to programmes that are written here and that others of these writes name without bearing the label.
 *
 * @returns whether there are any that were not known, so that what names them is to be planned anew.
 */
export const notesVisits = (
  { programmes, request, visitsToProgrammes }: Pick<RequestContext, 'programmes' | 'request' | 'visitsToProgrammes'>,
  plans: readonly Pick<PlannedWrite, 'next' | 'recordType'>[],
): boolean => {
  if (programmes.size === 0 || plans.length < 2) return false;
  const known = visitsToProgrammes.size;
  const visits = new Set(
    plans.flatMap(({ next: { type, id, labels } }) =>
      type === 'Encounter' && labels.includes(part2Label) ? [`Encounter/${id}`] : [],
    ),
  );
  if (visits.size === 0) return false;
  for (const { recordType, next } of plans) {
    if (!next.resource || !mayBecomeOfProgramme(recordType, next.labels)) continue;
    for (const name of recordsNamedIn(next.resource, request.baseUrl))
      if (visits.has(name)) visitsToProgrammes.add(name);
  }
  return visitsToProgrammes.size > known;
};

const mayBecomeOfProgramme = ({ subject }: RecordType, labels: readonly string[]): boolean =>
  !aboutNobody.has(subject) && !labels.includes(part2Label);

/**
 * Whether a record is a substance-use programme's: of an organisation that is one, or naming a part of one that is, or a visit to one. What was one stays one, whatever is
 * written later, until a privacy officer takes the label off.
 */
const isOfProgramme = (
  { asking, programmes, visitsToProgrammes, recordType, request }: RequestContext,
  { resource, custodian, current, labelsAlone = false }: Written,
): boolean => {
  if (current?.labels.includes(part2Label)) {
    const isTakenOff = labelsAlone && !labelsOf(resource).includes(part2Label);
    if (!isTakenOff) return true;
    if (asking.caller.roles.includes('privacy')) return false;
    throw new RecordError(
      'forbidden',
      'What a substance-use programme has written is labelled so; a privacy officer can change that',
      {
        reason: 'label-of-programme',
        expression: `${recordType.name}.meta.security`,
      },
    );
  }
  if (labelsOf(resource).includes(part2Label)) return true;
  if (programmes.size === 0 || aboutNobody.has(recordType.subject)) return false;
  return (
    programmes.has(`Organization/${custodian}`) ||
    recordsNamedIn(resource, request.baseUrl).some((name) => programmes.has(name) || visitsToProgrammes.has(name)) ||
    identifiesProgramme(resource, programmes)
  );
};
