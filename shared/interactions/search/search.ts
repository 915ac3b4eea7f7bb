import { information } from '../../fhir/operation-outcome.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import { project } from '../../search/project.ts';
import type { Position } from '../../store/candidates/plan.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Answer, Interaction } from '../context.ts';
import { requireTypeAccess } from '../require-access.ts';
import { askedPage, coverage, entriesOf, entryOf, nextLink, pageParameter, selfLink } from '../searchset.ts';
import { type OpenSearch, openSearch } from './open.ts';
import { type Found, findPage, type PlannedSearch } from './page.ts';
import type { SearchRequest } from './run.ts';
import { traced } from './trace.ts';

/** FHIR search of a type, `GET /{type}?…` and `POST /{type}/_search`. https://hl7.org/fhir/R4/search.html */
export const searchRecords: Interaction = async (context) => {
  requireTypeAccess(context, 's');
  const { strict } = context.request.prefer;
  return answerSearch(context, (sent) => openSearch(context, sent, { strict }));
};

type Sent = readonly (readonly [string, string])[];

/**
 * Answers a search: reads what was sent, or the link that is followed, plans, finds a page and leaves a trace.
 *
 * @param open - reads the search, wherever it looks.
 */
export const answerSearch = async (
  context: SearchRequest,
  open: (sent: Sent) => Promise<OpenSearch>,
): Promise<Answer> => {
  const asked = askedPage(context);
  const sent = asked?.query ?? context.request.query.filter(([name]) => name !== pageParameter);
  const opened = await open(sent);
  const { run } = opened;
  // What was looked at to plan the search leaves a trace too, if there is no more to it.
  const refusedAfter = (error: unknown) => traced(run, () => Promise.reject(error as Error), { sent, shown: () => [] });
  const search: PlannedSearch = { ...opened, parts: await opened.parts().catch(refusedAfter) };
  const found = await traced(run, () => findPage(search, asked?.position as Position | undefined), {
    sent,
    shown: ({ matches, others }) => [...matches, ...others].map((record) => [typeOf(search, record), record] as const),
  });
  await context.view.prepare([...found.matches, ...found.others]);
  for (const record of found.others) search.run.notes?.seen(record);
  const explained =
    search.run.notes && (await import('./explanation.lazy.ts')).explanation(search.parts, search.run.notes);
  return { statusCode: 200, resource: searchset(context, search, sent, found, explained) };
};

const typeOf = ({ run, searched }: PlannedSearch, { type }: StoredRecord): SearchType => {
  const found = searched.find(({ recordType }) => recordType.name === type)?.recordType ?? run.types?.get(type);
  if (!found) throw new Error('A record of a type that was not searched');
  return found;
};

const searchset = (
  context: SearchRequest,
  search: PlannedSearch,
  sent: Sent,
  { matches, others, total, next }: Found,
  explained: fhir4.OperationOutcome | undefined,
): fhir4.Bundle => {
  const { query, parts } = search;
  const walked = parts.every(({ indexed }) => indexed)
    ? []
    : [
        {
          message:
            'No index serves this search: it walks through all charts, some at a time. Name a patient to make it quick.',
        },
      ];
  const ignored = query.warnings.map(({ parameter, message }) => ({
    message,
    expression: parameter,
    code: 'not-supported' as const,
  }));
  const warnings = [...ignored, ...walked];
  const entry = (record: StoredRecord, mode: 'match' | 'include') =>
    projected(search, record, entryOf(context, record, mode));
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    meta: coverage,
    ...(total === undefined ? {} : { total }),
    link: [
      selfLink(context, query.understood),
      ...(next === undefined ? [] : [nextLink(context, { query: sent, position: next })]),
    ],
    ...entriesOf([
      ...matches.map((record) => entry(record, 'match')),
      ...others.map((record) => entry(record, 'include')),
      ...(warnings.length === 0
        ? []
        : [{ resource: information('warning', warnings), search: { mode: 'outcome' as const } }]),
      ...(explained ? [{ resource: explained, search: { mode: 'outcome' as const } }] : []),
    ]),
  };
};

/** Named elements are those of the searched type; a summary is one of whatever it shows. https://hl7.org/fhir/R4/search.html#summary */
const projected = (search: PlannedSearch, record: StoredRecord, entry: fhir4.BundleEntry): fhir4.BundleEntry => {
  const { summary } = search.query;
  const elements = search.searched.find(({ recordType }) => recordType.name === record.type)?.query.elements;
  const asked = entry.search?.mode === 'match' ? { summary, elements } : { summary };
  const { elements: table } = typeOf(search, record);
  return {
    ...entry,
    resource: project(entry.resource as unknown as Resource, asked, table) as unknown as fhir4.FhirResource,
  };
};
