import { RecordError } from '../errors.ts';
import { parseReference, referencesIn } from '../fhir/references.ts';
import type { Page } from '../store/record-store.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Answer, Interaction, RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { type PlannedWrite, planDelete } from './plan-write.ts';
import { notFound, requireTypeAccess } from './require-access.ts';
import { save } from './save.ts';
import { requireVersion, requireWritable } from './update.ts';

/**
 * FHIR delete, `DELETE /{type}/{id}`: the record answers 410 from then on, its history stays. Deleting it again changes nothing.
 * https://hl7.org/fhir/R4/http.html#delete
 */
export const deleteRecord: Interaction = async (context, { id }) => {
  const plan = await planDeletion(context, id);
  if (!plan) return { statusCode: 204 };
  await save(context, [plan]);
  return answerDeletion(plan);
};

export const answerDeletion = ({ next }: PlannedWrite): Answer => ({
  statusCode: 204,
  headers: { ETag: `W/"${next.version}"` },
});

/**
 * Plans a deletion; undefined if the record is deleted already.
 *
 * @param rewritten - `Type/id` of records that the same transaction deletes or replaces: what those referred to so far is no obstacle.
 * @throws RecordError `conflict` if records of the same chart refer to it.
 */
export const planDeletion = async (
  context: RequestContext,
  id: string,
  rewritten: ReadonlySet<string> = new Set(),
): Promise<PlannedWrite | undefined> => {
  requireTypeAccess(context, 'd');
  const { recordType, store } = context;
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const [current, chart] = await Promise.all([store.read(address), chartPage(context, address.chart)]);
  if (!current) throw notFound(context);
  requireWritable(context, current, 'd');
  if (!current.resource) return undefined;
  requireVersion(context, current);
  await requireUnreferenced(context, current, chart, rewritten);
  return planDelete(context, current);
};

/**
 * What a chart refers to must stay. References from outside a chart are to people, places and organisations, which are set
 * inactive instead of deleted when they end.
 */
const requireUnreferenced = async (
  context: RequestContext,
  current: StoredRecord,
  firstPage: Page<StoredRecord>,
  rewritten: ReadonlySet<string>,
): Promise<void> => {
  for (let page = firstPage; ; page = await chartPage(context, current.chart, page.next)) {
    const others = page.items.filter(
      ({ type, id }) => (type !== current.type || id !== current.id) && !rewritten.has(`${type}/${id}`),
    );
    if (others.some((record) => refersTo(record, current, context.request.baseUrl))) {
      throw new RecordError('conflict', 'Other records of this chart refer to it', { reason: 'referenced' });
    }
    if (page.next === undefined) return;
  }
};

const chartPage = ({ store }: RequestContext, chart: string, after?: string): Promise<Page<StoredRecord>> =>
  store.chart(chart, undefined, { order: 'key-order', after });

const refersTo = ({ resource }: StoredRecord, { type, id }: StoredRecord, baseUrl: string): boolean =>
  resource !== undefined &&
  referencesIn(resource).some(({ reference }) => {
    const parsed = parseReference(reference, baseUrl);
    return parsed.kind === 'record' && parsed.type === type && parsed.id === id;
  });
