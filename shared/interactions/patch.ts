import type { Access } from '../audit/audit-trail.ts';
import { refusedRow } from '../audit/following-rows.ts';
import { RecordError } from '../errors.ts';
import { parseJson, spelledOut } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { fhirJson, jsonPatch } from '../http/fhir-request.ts';
import { isObject } from '../patch/json-tree.ts';
import { patchDoesNotFit } from '../patch/refusal.ts';
import { presented, type StoredRecord } from '../store/rows.ts';
import { answerTo } from './answers.ts';
import { conditionalMatch, conditionOf, inQuery } from './conditional-match.ts';
import type { Interaction, RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { lookAgain } from './look-again.ts';
import { parseBody } from './parse-body.ts';
import { type PlannedWrite, planUpdate } from './plan-write.ts';
import { mayAccess, requireReadable, requireTypeAccess } from './require-access.ts';
import { byChart, save } from './save.ts';
import { chartsBesides } from './security-context.ts';
import { requireVersion, requireWritable } from './update.ts';
import { lastSaid } from './version-of.ts';

/**
 * FHIR patch, `PATCH /{type}/{id}`: one read, one transaction. What comes of it has to pass whatever an update has to.
 * https://hl7.org/fhir/R4/http.html#patch
 */
export const patchRecord: Interaction = async (context, { id }) => {
  const apply = await readPatch(context);
  const address = await locate(context, context.recordType.name, id);
  return patched(context, apply, address && (await context.sharing.read(address)), id);
};

/** FHIR conditional patch, `PATCH /{type}?{condition}`, of the one record that meets it. https://hl7.org/fhir/R4/http.html#patch */
export const patchByCondition: Interaction = async (context) => {
  const apply = await readPatch(context);
  const { matches } = await conditionalMatch(context, conditionOf(context.request), inQuery);
  return patched(context, apply, matches[0]);
};

const patched = (context: RequestContext, apply: Apply, current: StoredRecord | undefined, id?: string) =>
  tracingRefusals(context, (looked) =>
    lookAgain(async () => {
      const plan = await planPatched(context, apply, current, { id, looked });
      await save(context, [plan]);
      return answerTo(context, plan);
    }),
  );

/** A record that was to be patched. */
export interface Look extends Access {
  /** Whether its sender may not see it, or there is none. */
  readonly hidden: boolean;
}

/**
 * Carries out what patches. A refusal, or its absence, tells what a record holds: which `test` failed, and that the others did not. So where
 * nothing was written that would have its own trace, each record that was looked into has one like a read before the refusal leaves; one that
 * its sender may not see has that of a read that was refused.
 *
 * @param work - is given the list that planning a patch notes its record in.
 */
export const tracingRefusals = async <T>(
  { audit }: Pick<RequestContext, 'audit'>,
  work: (looked: Look[]) => Promise<T>,
): Promise<T> => {
  const looked: Look[] = [];
  try {
    return await work(looked);
  } catch (refusal) {
    const rows = (hidden: boolean) =>
      byChart(looked.filter((look) => look.hidden === hidden)).map((access) => audit.row(access));
    const refused = rows(true);
    await audit.write([...rows(false), ...refused, ...refused.map(refusedRow)]);
    throw refusal;
  }
};

/** Makes another resource of one as it is shown. */
type Apply = (resource: Resource) => unknown;

interface Noting {
  /** The id that the request names, if it does. */
  readonly id: string | undefined;
  /** Is added to once the record is looked for (`tracingRefusals`). */
  readonly looked: Look[];
}

/**
 * Plans a patch: the next version of the record.
 *
 * @throws RecordError whatever rule stands against it.
 */
export const planPatch = async (
  context: RequestContext,
  current: StoredRecord | undefined,
  noting: Noting,
): Promise<PlannedWrite> => planPatched(context, await readPatch(context), current, noting);

const planPatched = async (
  context: RequestContext,
  apply: Apply,
  record: StoredRecord | undefined,
  { id = record?.id, looked }: Noting,
): Promise<PlannedWrite> => {
  if (record) await context.sharing.lookUp([record]);
  const { name } = context.recordType;
  const last = record && (await lastSaid(context, record));
  const besides = last ? await chartsBesides(context, [last]) : [];
  const note = (charts: readonly string[], hidden: boolean) => {
    for (const chart of charts) looked.push({ interaction: 'read', chart, what: [`${name}/${id}`], hidden });
  };
  if (!record?.resource || !mayAccess(context, 'r', record)) {
    // Where there is nothing, there is a trace too: no answer, and not the time that it takes, tells the one from the other.
    const chart = record?.chart ?? (id === undefined ? undefined : (await locate(context, name, id))?.chart);
    if (chart !== undefined) note([chart, ...besides], true);
  }
  requireReadable(context, last); // which tells of what is deleted, too
  const current = requireReadable(context, record);
  await requireWritable(context, current, 'u');
  requireVersion(context, current);
  note([current.chart, ...besides], false);
  const resource = presented(context.view.of(current));
  const next = apply(resource);
  if (!isObject(next) || next['resourceType'] !== resource.resourceType || next['id'] !== resource.id) {
    throw patchDoesNotFit(current.type, 'A patch cannot change what a record is: its type and its id');
  }
  return { ...(await planUpdate(context, parseBody(context.recordType, next), current)), interaction: 'patch' };
};

/**
 * Reads a patch in one of its two forms, which their shapes tell apart; in a bundle JSON Patch comes in a Binary, and was taken out of it.
 *
 * @throws RecordError `malformed` if it is neither; `invalid` naming the operation that is wrong.
 */
const readPatch = async (context: RequestContext): Promise<Apply> => {
  requireTypeAccess(context, 'u');
  const patching = await import('../patch/patch.lazy.ts');
  const { withoutEmpty } = patching;
  const change = changeIn(context, patching);
  return (resource) => {
    const left = withoutEmpty(change(spelledOut(resource)));
    return left === undefined ? undefined : parseJson(JSON.stringify(left));
  };
};

const changeIn = (
  { recordType, request }: RequestContext,
  { readJsonPatch, readFhirPathPatch }: typeof import('../patch/patch.lazy.ts'),
): ((tree: unknown) => unknown) => {
  const { body, mediaType } = request;
  if (Array.isArray(body) && mediaType !== fhirJson) return readJsonPatch(body);
  if (isObject(body) && body['resourceType'] === 'Parameters' && mediaType !== jsonPatch) {
    return readFhirPathPatch(recordType.schema, body);
  }
  throw new RecordError(
    'malformed',
    `A patch is an array of operations as ${jsonPatch}, or Parameters as ${fhirJson}`,
    {
      expression: 'body',
    },
  );
};
