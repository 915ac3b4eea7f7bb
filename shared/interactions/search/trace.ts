import { refusedRow } from '../../audit/audit-row.ts';
import type { Access } from '../../audit/audit-trail.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { pathOf } from '../searchset.ts';
import type { Run, SearchRequest } from './run.ts';

/**
 * Searches, and leaves its trace: beside the search where it names its charts, else before the answer leaves. A chart that the
 * caller turned out not to see gets a second row that says so. Only the log of the one patient that a search names holds its values:
 * elsewhere, also where a reference or an id names the chart, they could be another patient's.
 *
 * @param shown - the records that are shown, each with its type.
 */
export const traced = async <T>(
  run: Run,
  search: () => Promise<T>,
  shown: (found: T) => readonly (readonly [SearchType, StoredRecord])[],
): Promise<T> => {
  const { context } = run;
  const { audit } = context;
  const access = (chart: string, what: readonly string[] = []): Access => ({
    interaction: isOfOneType(context) ? 'search-type' : 'search-system',
    chart,
    what,
    query: queryText(context, run.named.size === 1 && run.named.has(chart) && namesPatient(context)),
  });
  const named = [...run.named];
  const rows = named.map((chart) => audit.row(access(chart)));
  const [found] = await Promise.all([search(), audit.write(rows)]);
  for (const [type, record] of shown(found)) run.decidedBy(type, record);
  // Charts that references have led to stand in their own logs too, whether what is there is shown or only decided what is.
  const further = [...run.named].filter((chart) => !named.includes(chart));
  const touched = new Map([...further.map((chart) => [chart, new Set<string>()] as const), ...run.decisive]);
  const later = [...touched].filter(([chart]) => !named.includes(chart));
  if (named.length === 0 && later.length === 0) later.push([logOf(context), new Set()]);
  const all = named.map((chart, index) => [chart, rows[index]] as const);
  const rest = later.map(([chart, names]) => [chart, audit.row(access(chart, [...names]))] as const);
  const hidden = [...all, ...rest].flatMap(([chart, row]) => (row && run.hidden.has(chart) ? [refusedRow(row)] : []));
  await audit.write([...rest.map(([, row]) => row), ...hidden]);
  return found;
};

const namesPatient = ({ request }: SearchRequest): boolean =>
  isWithinPatient(request.path) || request.query.some(([name]) => /^(?:patient|subject)(?::|$)/.test(name));

const isWithinPatient = ([owner, id, type]: readonly string[]): boolean =>
  owner === 'Patient' && id !== undefined && type !== undefined;

/** A path ends with the type that is searched, `*` for several; without any, all are. */
const isOfOneType = (context: SearchRequest): boolean => /\w$/.test(pathOf(context));

const queryText = (context: SearchRequest, withValues: boolean): string => {
  const [type, id, ...within] = pathOf(context).split('/');
  const shown = withValues || id?.startsWith('$') ? id : '…';
  const path = id === undefined ? type : [type, shown, ...within].join('/');
  const { query } = context.request;
  return `${path}?${query.map(([name, value]) => (withValues ? `${name}=${value}` : name)).join('&')}`;
};

/** Where a search is noted that concerns nobody's chart. */
const logOf = ({ asking }: SearchRequest): string => asking.chart ?? asking.caller.organization ?? '';
