import { decideType } from '../access/decide.ts';
import type { Action } from '../access/scopes.ts';
import { RecordError } from '../errors.ts';
import { checkInvariants } from '../fhir/check-invariants.ts';
import { maxIssues } from '../fhir/complex-type.ts';
import { narrativeAdvice } from '../fhir/narrative-advice.ts';
import { information, type Notice, noticesOf } from '../fhir/operation-outcome.ts';
import { parseReference, referencesIn } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import { validateStructure } from '../fhir/validate.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import { factsOfType } from '../record-types/subjects.ts';
import type { StableCode } from '../stable-codes.ts';
import { foresee } from '../store/commit.ts';
import { presented, type StoredRecord } from '../store/rows.ts';
import { judgeProfiles } from './claimed-profiles.ts';
import type { Interaction, RequestContext } from './context.ts';
import { planDeletion } from './delete.ts';
import { locate } from './locate.ts';
import { lookAgain } from './look-again.ts';
import { lookAt } from './look-at.ts';
import { type OperationInput, readInput } from './operation-input.ts';
import { isWithdrawn, requireOwnWords } from './own-words.ts';
import { ofType, parseBody } from './parse-body.ts';
import {
  judgeReferences,
  newPlace,
  type PlannedWrite,
  planCreate,
  referenceError,
  requireSameHome,
} from './plan-write.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess, unseen } from './require-access.ts';
import { commitOf, referringAnew, refusalOf, requireUnrestricted } from './save.ts';
import { otherId, planPut, requireVersion, requireWritable } from './update.ts';

/** What `$validate` takes. */
export const validateInput = {
  resource: { type: 'Resource' },
  mode: { type: 'code' },
  profile: { type: 'uri' },
} as const;

/** By what a resource is validated for. */
const actions = { create: 'c', update: 'u', delete: 'd' } as const satisfies Record<string, Action>;

type Mode = keyof typeof actions;

/** Records that are looked up because a resource refers to them. */
const mostLookedUp = 1_000;

/** What is to be validated, for what. */
interface Task {
  /** Undefined for the content alone. */
  readonly mode: Mode | undefined;
  /** Id of the record that an update or a deletion is of. */
  readonly id: string;
  readonly current: StoredRecord | undefined;
  readonly profile: string | undefined;
}

/**
 * `{type}/$validate` and `{type}/{id}/$validate`: all that stands against a create, an update or a deletion, which is not carried out; without a
 * mode, against the content alone. Nothing is written but the trace of a record that was looked at.
 *
 * @throws RecordError `forbidden` if nothing of the type is open to the caller; `not-found` or `deleted` of the record in the path; `invalid` if
 *   the call itself is wrong. Whatever stands against the resource is in the answer.
 * @see https://hl7.org/fhir/R4/resource-operation-validate.html
 */
export const validateRecord: Interaction = async (context, { id: inPath }) => {
  if (!Object.values(actions).some((action) => allows(context, action))) requireTypeAccess(context, 'r');
  const sent = readInput(context, validateInput);
  const mode = modeOf(sent, inPath);
  const id = inPath || idOf(sent, mode);
  const current = id === '' ? undefined : await look(context, id, inPath !== '');
  const body = sent.resource ?? (mode === 'delete' ? undefined : presented(requireReadable(context, current)));
  const request = { ...context.request, body };
  const unseen = unseenBy(context, current);
  const found = await judge({ ...context, request, unseen }, { mode, id, current, profile: sent.profile });
  const verdict: Notice = { severity: 'information', reason: 'valid', message: 'Nothing stands against it' };
  return { statusCode: 200, resource: information('error', found.some(isError) ? found : [verdict, ...found]) };
};

const isError = ({ severity = 'error' }: Notice): boolean => severity === 'error';

const allows = ({ asking, recordType }: RequestContext, action: Action): boolean =>
  decideType(asking, action, recordType).permit;

/** What a record says, to who may see or change it. */
const seenOf = (context: RequestContext, current: StoredRecord | undefined): Resource | undefined =>
  current && (mayAccess(context, 'r', current) || mayAccess(context, 'u', current)) ? current.resource : undefined;

/**
 * Records of which nobody learns by `$validate` whether there are any: those of types that the caller may not read. What the record refers to
 * already is no news to who may see it, and the patient in context none to the patient.
 */
const unseenBy = (context: RequestContext, current: StoredRecord | undefined): RequestContext['unseen'] => {
  const { asking, request } = context;
  const seen = seenOf(context, current);
  const before = seen ? referencesIn(seen) : [];
  const kept = new Set(
    before.map(({ reference }) => {
      const parsed = parseReference(reference, request.baseUrl);
      return parsed.kind === 'record' ? `${parsed.type}/${parsed.id}` : '';
    }),
  );
  return (type, id) =>
    !kept.has(`${type}/${id}`) &&
    !(type === 'Patient' && id === asking.caller.patient) &&
    !decideType(asking, 'r', factsOfType(type)).permit;
};

const wrong = (expression: string, message: string) => new RecordError('invalid', message, { expression });

/** @throws RecordError `invalid` unless it is a mode, and one that fits what is sent and where to. */
const modeOf = ({ mode, resource }: OperationInput<typeof validateInput>, inPath: string): Mode | undefined => {
  if (mode !== undefined && !Object.hasOwn(actions, mode)) throw wrong('mode', 'The mode is create, update or delete');
  if (mode === 'create' && inPath !== '') throw wrong('mode', 'A create is validated without an id in the path');
  if (inPath === '' && !resource) throw wrong('resource', 'The operation needs this parameter');
  return (mode as Mode | undefined) ?? (inPath !== '' && resource ? 'update' : undefined);
};

/** The id of the record that is meant where the path has none; empty if it is about none. */
const idOf = ({ resource }: OperationInput<typeof validateInput>, mode: Mode | undefined): string => {
  if (mode === undefined || mode === 'create') return '';
  if (typeof resource?.id === 'string' && resource.id !== '') return resource.id;
  throw wrong('resource', 'The record of an update or a deletion is named in the path, or by the id of the resource');
};

/** The record that is meant. The one in the path has to be there, and nothing is told of one that the caller may not know of. */
const look = async (context: RequestContext, id: string, inPath: boolean): Promise<StoredRecord | undefined> => {
  const { recordType } = context;
  const name = `${recordType.name}/${id}`;
  const may = (record: StoredRecord) => (['r', 'u', 'd'] as const).some((action) => mayAccess(context, action, record));
  const isHidden = (record: StoredRecord | undefined): boolean => record !== undefined && !may(record);
  const address = await locate(context, recordType.name, id);
  if (!address && inPath) throw notFound(context);
  if (!address) return undefined;
  let record: StoredRecord | undefined;
  const asked = { interaction: 'operation', what: [name], query: `${name}/$validate`, may } as const;
  try {
    await lookAt(context, address, asked, (found) => {
      record = found;
      if (isHidden(record) || (inPath && !record)) throw unseen(context, record);
    });
  } catch (error) {
    // Where only the resource names it, an update is refused as a PUT would be: perhaps for an id that others have.
    if (inPath || !isHidden(record)) throw error;
  }
  return record;
};

/** All that stands against what the request's body is validated for. */
const judge = async (context: RequestContext, task: Task): Promise<Notice[]> => {
  const found: Notice[] = [];
  const keep: Keep = async (check) => {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      found.push(...noticesOf(error));
      return undefined;
    }
  };
  const { mode, id } = task;
  if (mode === 'delete') {
    await keep(() => lookAgain(() => planDeletion(context, id)));
    return found;
  }
  const resource = await keep(() => ofType(context.recordType, context.request.body));
  if (!resource) return found;
  const { part, isWhole, issues } = await judgeContent(context, resource, task.profile);
  found.push(...issues);
  if (!part) return found;
  if (mode) await judgeWriter(context, { ...task, mode }, part, isWhole, keep);
  const { checks, notices } = await judgeTargets(context, part, task.current);
  found.push(...notices);
  const plan = mode && !found.some(isError) ? await keep(() => planned(context, { ...task, mode })) : undefined;
  await keep(() => requireUnrestricted(context, plan ? [plan] : []));
  await keep(async () => {
    const work = plan ? await commitOf(context, [plan]) : { writes: [] };
    let refusals = await foresee(context.store, { ...work, checks });
    const open = plan && refusals.length > 0 && (await referringAnew(context, [{ ...plan, checks }], refusals));
    if (open) refusals = await foresee(context.store, { ...work, checks: open.flatMap((each) => each.checks) });
    if (refusals.length > 0) throw refusalOf({ refusals }, false);
  });
  return found;
};

/** Runs a check that refuses by throwing, and keeps what it says; undefined then. */
type Keep = <T>(check: () => T | Promise<T>) => Promise<T | undefined>;

type Told = ValidationIssue & { readonly reason: StableCode };

const told = (issues: readonly ValidationIssue[], reason: StableCode): Told[] =>
  issues.map((issue) => ({ ...issue, reason: issue.severity === 'information' ? 'not-checked' : reason }));

const notChecked = (message: string): Notice => ({ severity: 'information', reason: 'not-checked', message });

const containedMessage = 'Contained resources were checked as JSON, not by the definitions of their types';

/** Structure, rules, narrative and profiles. Where the structure is wrong, the rest is asked of what is left without that, if that can be. */
const judgeContent = async (
  context: RequestContext,
  resource: Resource,
  profile: string | undefined,
): Promise<{ readonly part: Resource | undefined; readonly isWhole: boolean; readonly issues: readonly Notice[] }> => {
  const { schema, rules: invariants } = context.recordType;
  const rules = async (part: Resource): Promise<Told[]> => [
    ...told([...checkInvariants(schema, invariants, part), ...narrativeAdvice(part)], 'validation'),
    ...told(await judgeProfiles(context, part, profile), 'profile-not-met'),
  ];
  const contained = resource['contained'] === undefined ? [] : [notChecked(containedMessage)];
  const structural = validateStructure(schema, resource);
  if (structural.length === 0)
    return { part: resource, isWhole: true, issues: [...(await rules(resource)), ...contained] };
  const { brokenRules } = await import('../fhir/sound-part.lazy.ts');
  // Behind the last issue that is told may be any number of others, and each round of looking for a sound part costs what a create does.
  const broken =
    structural.length < maxIssues
      ? await brokenRules(resource, structural, (part) => validateStructure(schema, part), rules)
      : undefined;
  return {
    part: broken?.part,
    isWhole: false,
    issues: [
      ...told(structural, 'validation'),
      ...(broken?.issues ?? []),
      ...contained,
      notChecked(
        broken
          ? 'All else was checked without the elements of which the structure is wrong'
          : 'Nothing else was checked, since the structure is wrong',
      ),
    ],
  };
};

/** Whether the caller may write it where it is to be written. */
const judgeWriter = async (
  context: RequestContext,
  { mode, id, current }: Task & { readonly mode: Mode },
  resource: Resource,
  isWhole: boolean,
  keep: Keep,
): Promise<void> => {
  const { recordType, request } = context;
  await keep(() => requireTypeAccess(context, actions[mode]));
  const seen = current && mayAccess(context, 'r', current) ? current.resource : undefined;
  const withdrawn = mode === 'update' && isWithdrawn(context, seen, resource);
  if (!withdrawn) await keep(() => requireOwnWords(context, resource));
  if (mode !== 'update') return;
  if ((request.body as Resource).id !== id) {
    await keep(() => {
      throw otherId(recordType, 'in the URL');
    });
  }
  if (!current) return;
  if (allows(context, 'u')) await keep(() => requireWritable(context, current, 'u'));
  if (!mayAccess(context, 'r', current) && !mayAccess(context, 'u', current)) return;
  await keep(() => requireVersion(context, current));
  const { resource: before } = current;
  if (before && !withdrawn) await keep(() => requireOwnWords(context, before));
  // What was left out may have been the patient.
  if (isWhole || recordType.patientsOf(resource).length > 0)
    await keep(() => requireSameHome(context, resource, current));
};

/** What the resource refers to. Who may not write such records cannot find out by them what exists. */
const judgeTargets = async (context: RequestContext, resource: Resource, current: StoredRecord | undefined) => {
  if (!allows(context, 'c') && !allows(context, 'u')) {
    const notices =
      referencesIn(resource).length === 0
        ? []
        : [notChecked('References were not looked up: you may not write such records')];
    return { checks: [], notices };
  }
  const { broken, checks, unseen } = await judgeReferences(context, resource, seenOf(context, current));
  return {
    checks: [...checks.values()].slice(0, mostLookedUp),
    notices: [
      ...(broken.length > 0 ? noticesOf(referenceError(broken)) : []),
      ...(unseen ? [notChecked('References to types that you may not read were not looked up')] : []),
      ...(checks.size > mostLookedUp ? [notChecked(`Only the first ${mostLookedUp} references were looked up`)] : []),
    ],
  };
};

/** The write as the request for it would plan it. */
const planned = async (context: RequestContext, { mode, id, current }: Task): Promise<PlannedWrite> => {
  if (mode === 'update') return planPut(context, id, current ?? null);
  const parsed = parseBody(context.recordType, context.request.body);
  return planCreate(context, parsed, await newPlace(context, parsed.resource));
};
