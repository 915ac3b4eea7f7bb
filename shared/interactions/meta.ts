import { decideLabels } from '../access/decide.ts';
import { isScoped } from '../access/rules/scope.ts';
import { RecordError } from '../errors.ts';
import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { validateStructure } from '../fhir/validate.ts';
import type { KeptAnswer } from '../store/request-keys.ts';
import { presented, type StoredRecord } from '../store/rows.ts';
import { ofVersion } from './answers.ts';
import type { Answer, Interaction, PlannedInteraction, RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { lookAgain } from './look-again.ts';
import { lookAt } from './look-at.ts';
import { readInput } from './operation-input.ts';
import { requireOwnWords } from './own-words.ts';
import { planLabels } from './plan-write.ts';
import { mayAccess, notFound, refusedWrite, requireTypeAccess, unseen } from './require-access.ts';
import { save } from './save.ts';
import { factsOfRecord } from './security-context.ts';
import { resubscribed } from './subscribed.ts';
import { requireVersion } from './update.ts';

/** How often labels are set anew where others have written the record meanwhile. */
const tries = 5;

/**
 * `{type}/{id}/$meta`, also of one version: profiles, tags and security labels, as a read shows them; to
 * privacy officers, who may not read it, the security labels alone. https://hl7.org/fhir/R4/resource-operation-meta.html
 */
export const labelsOfRecord: Interaction = async (context, { id, version }) => {
  requireLabelAccess(context, 'r');
  readInput(context, {});
  const { recordType } = context;
  const name = `${recordType.name}/${id}`;
  const address = await locate(context, recordType.name, id);
  if (!address || !/^(?:[1-9]\d{0,9})?$/.test(version)) throw notFound(context);
  const look = {
    interaction: 'operation',
    what: [name],
    query: `${name}/$meta`,
    version: version === '' ? undefined : Number(version),
    may: (last: StoredRecord) => labelDecision(context, 'r', last).permit,
  } as const;
  const record = await lookAt(context, address, look, (found) => void requireLabelled(context, found));
  const labelled = requireLabelled(context, record);
  return withDerived(answer(context, labelled), await context.sharing.labelsByCode(labelled));
};

/** Beside the labels that a record bears, those that its codes come to once it is to be shared: advice for who treats the patient, and stored nowhere. */
const withDerived = (
  labels: Answer,
  { labels: derived, edition }: { labels: readonly string[]; edition: string },
): Answer => {
  if (derived.length === 0) return labels;
  const security = derived.map((label) => {
    const [system = '', code = ''] = label.split('|');
    return { system, code };
  });
  const { parameter = [] } = labels.resource as fhir4.Parameters;
  const advice: fhir4.ParametersParameter[] = [
    { name: 'derived', valueMeta: { security } },
    { name: 'edition', valueString: edition },
  ];
  return { ...labels, resource: { resourceType: 'Parameters', parameter: [...parameter, ...advice] } };
};

export const changeLabelsInput = { meta: { type: 'Meta', min: 1 } } as const;

/** `{type}/{id}/$meta-add`. https://hl7.org/fhir/R4/resource-operation-meta-add.html */
export const planLabelsAdded: PlannedInteraction = (context, { id }) => planChange(context, id, '$meta-add', joined);

/** `{type}/{id}/$meta-delete`. https://hl7.org/fhir/R4/resource-operation-meta-delete.html */
export const planLabelsDeleted: PlannedInteraction = (context, { id }) =>
  planChange(context, id, '$meta-delete', without);

/**
 * Writes the next version of a record with other labels, unless they are what they were. Sets can be changed by several at once: where others have
 * written the record meanwhile and no version was asked for, it is done anew.
 */
export const changeLabels =
  (plan: PlannedInteraction): Interaction =>
  async (context, target) => {
    for (let attempt = 1; ; attempt++) {
      try {
        // What is signed may name a visit that has become one to a programme.
        return await lookAgain(async () => {
          const { plans, answer } = await plan(context, target);
          if (plans.length > 0) await save(context, plans, () => [answer]);
          return answer;
        });
      } catch (error) {
        const again = error instanceof RecordError && error.reason === 'concurrent-change';
        if (!again || context.request.ifMatch !== undefined || attempt === tries) throw error;
      }
    }
  };

/**
 * The answer of a change of labels that is sent again: the labels in the version that it made or found then, to who may still change and see them.
 *
 * @throws RecordError `forbidden`, `not-found`.
 */
export const changedLabelsAgain = async (
  context: RequestContext,
  id: string,
  kept: KeptAnswer | undefined,
): Promise<Answer> => {
  const version = /^W\/"(\d+)"$/.exec(kept?.headers?.['ETag'] ?? '')?.[1];
  if (!kept || version === undefined) throw new Error('No answer was kept for the request');
  requireLabelAccess(context, 'u');
  const request = { ...context.request, method: 'GET', query: [], body: undefined };
  const { resource } = await labelsOfRecord({ ...context, request }, { id, version, type: '' });
  return { ...kept, ...(resource ? { resource } : {}) };
};

/**
 * Each look at the record leaves its trace, whatever comes of it: the labels are shown also where nothing changes, and a refusal tells of the
 * record.
 */
const planChange = async (
  context: RequestContext,
  id: string,
  operation: '$meta-add' | '$meta-delete',
  change: (labels: fhir4.Meta, by: fhir4.Meta) => fhir4.Meta,
): ReturnType<PlannedInteraction> => {
  requireLabelAccess(context, 'u');
  const { recordType } = context;
  const { meta } = readInput(context, changeLabelsInput);
  requireLabels(context, meta);
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const name = `${recordType.name}/${id}`;
  const look = {
    interaction: 'operation',
    what: [name],
    query: `${name}/${operation}`,
    may: (last: StoredRecord) => labelDecision(context, 'u', last).permit || mayAccess(context, 'r', last),
  } as const;
  const found = await lookAt(context, address, look, (record) => void requireChangeable(context, record));
  const current = requireChangeable(context, found);
  const { resource } = current;
  requireOwnWords(context, resource);
  const changed = change(resource.meta ?? {}, meta);
  const { meta: _, ...elements } = resource;
  const sent = withSpellingOf(
    (Object.keys(changed).length === 0 ? elements : { ...elements, meta: changed }) as Resource,
    resource,
  );
  const labelled = recordType.tags?.(sent) ?? sent;
  if (isSame(resource.meta ?? {}, labelled.meta ?? {})) return { plans: [], answer: answer(context, current) };
  const planned = await planLabels(context, { ...current, resource }, labelled);
  const plan = { ...planned, ...(await resubscribed(context, planned.next)) };
  return { plans: [plan], answer: answer(context, plan.next) };
};

/** Refuses what neither scope nor role allows with any record of the type; for privacy officers, scope alone. */
const requireLabelAccess = (context: RequestContext, action: 'r' | 'u'): void => {
  const { caller } = context.asking;
  const labels = caller.roles.includes('privacy') && isScoped(caller, action, context.recordType.name);
  if (!labels) requireTypeAccess(context, action);
};

const labelDecision = (context: RequestContext, action: 'r' | 'u', record: StoredRecord) =>
  decideLabels(context.asking, action, context.recordType, factsOfRecord(context, record), context.sharing.of(record));

/**
 * The record, if the caller may see its labels.
 *
 * @throws RecordError `not-found`, or `deleted` where the caller might have seen them.
 */
const requireLabelled = (
  context: RequestContext,
  record: StoredRecord | undefined,
): StoredRecord & { readonly resource: Resource } => {
  if (!record || !labelDecision(context, 'r', record).permit) throw unseen(context, record);
  const { resource } = record;
  if (!resource) {
    throw new RecordError('deleted', `This ${context.recordType.name} was deleted`, {
      headers: { ETag: `W/"${record.version}"` },
    });
  }
  return { ...record, resource };
};

/**
 * The record, if the caller may change its labels, in the version that was asked for.
 *
 * @throws RecordError `not-found`, `forbidden`, `deleted`, `version-conflict`.
 */
const requireChangeable = (context: RequestContext, record: StoredRecord | undefined) => {
  const decision = record && labelDecision(context, 'u', record);
  if (!record || !decision?.permit) throw refusedWrite(context, record, decision);
  const labelled = requireLabelled(context, record);
  requireVersion(context, labelled);
  return labelled;
};

/**
 * Requires that what is sent are labels, with a code each; of who may not change records of the type, that they are security labels.
 *
 * @throws RecordError `invalid`, `forbidden`.
 */
const requireLabels = (context: RequestContext, meta: fhir4.Meta): void => {
  const { recordType } = context;
  const at = `${recordType.name}.meta`;
  const issues = validateStructure(recordType.schema, { resourceType: recordType.name, meta }).filter(
    ({ expression }) => expression === at || expression.startsWith(`${at}.`),
  );
  if (issues.length > 0) {
    throw new RecordError('invalid', 'The labels break rules', { reason: 'validation', details: issues });
  }
  const { profile = [], tag = [], security = [] } = meta;
  if (profile.length + tag.length + security.length === 0 || [...tag, ...security].some(({ code }) => !code)) {
    throw new RecordError('invalid', 'Send profiles, or tags and security labels with a code', { expression: 'meta' });
  }
  if (profile.length + tag.length > 0) requireTypeAccess(context, 'u');
};

const nameOf = ({ system, code }: fhir4.Coding): string => `${system ?? ''}|${code ?? ''}`;

const joined = (labels: fhir4.Meta, { profile = [], tag = [], security = [] }: fhir4.Meta): fhir4.Meta => ({
  ...labels,
  ...set('profile', [...new Set([...(labels.profile ?? []), ...profile])]),
  ...set('security', unique([...(labels.security ?? []), ...security])),
  ...set('tag', unique([...(labels.tag ?? []), ...tag])),
});

/** The first of each system and code: versions and displays make no difference. */
const unique = (codings: readonly fhir4.Coding[]): fhir4.Coding[] => {
  const known = new Map<string, fhir4.Coding>();
  for (const coding of codings) if (!known.has(nameOf(coding))) known.set(nameOf(coding), coding);
  return [...known.values()];
};

const without = (
  { profile, security, tag, ...rest }: fhir4.Meta,
  { profile: profiles = [], security: labels = [], tag: tags = [] }: fhir4.Meta,
): fhir4.Meta => {
  const outside = (codings: fhir4.Coding[] = [], gone: readonly fhir4.Coding[]) => {
    const names = new Set(gone.map(nameOf));
    return codings.filter((coding) => !names.has(nameOf(coding)));
  };
  return {
    ...rest,
    ...set(
      'profile',
      (profile ?? []).filter((each) => !profiles.includes(each)),
    ),
    ...set('security', outside(security, labels)),
    ...set('tag', outside(tag, tags)),
  };
};

/** FHIR's JSON knows no empty arrays. */
const set = <T>(element: string, items: T[]) => (items.length === 0 ? {} : { [element]: items });

const isSame = (a: fhir4.Meta, b: fhir4.Meta): boolean =>
  (['profile', 'security', 'tag'] as const).every((element) => (a[element] ?? []).length === (b[element] ?? []).length);

const answer = (context: RequestContext, record: StoredRecord): Answer => ({
  statusCode: 200,
  resource: {
    resourceType: 'Parameters',
    parameter: [{ name: 'return', valueMeta: shownLabels(context, record) }],
  },
  ...ofVersion(record),
});

/** The meta that a read shows; to who may not read the record, its security labels alone: tags, profiles and source tell what it is about. */
const shownLabels = (context: RequestContext, record: StoredRecord): fhir4.Meta | undefined => {
  const { meta } = presented(record);
  if (!meta || mayAccess(context, 'r', record)) return meta;
  const { versionId, lastUpdated, security } = meta;
  return {
    ...(versionId === undefined ? {} : { versionId }),
    ...(lastUpdated === undefined ? {} : { lastUpdated }),
    ...(security === undefined ? {} : { security }),
  };
};
