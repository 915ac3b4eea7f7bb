import type { Access } from '../../audit/audit-trail.ts';
import { refusedRow } from '../../audit/following-rows.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { pathOf } from '../searchset.ts';
import type { Run, SearchRequest } from './run.ts';

interface Traced<T> {
  /** Names and values as they were sent, also where a link to a further page stands for them. */
  readonly sent: readonly (readonly [string, string])[];
  /** The records that are shown, or told of, each with its type. */
  readonly shown: (found: T) => readonly (readonly [SearchType, StoredRecord])[];
  /** Whether a search that concerns nobody's chart is noted in the log of whoever asks. */
  readonly always?: boolean;
}

/**
 * Searches, and leaves its trace: beside the search where it names its charts, else before the answer leaves, be it a refusal. A chart that the
 * caller turned out not to see gets a second row that says so. Only the log of the one patient that a search names holds its values, and no
 * value that names somebody else: elsewhere, also where a reference or an id names the chart, they could be another patient's.
 */
export const traced = async <T>(
  run: Run,
  search: () => Promise<T>,
  { sent, shown, always = true }: Traced<T>,
): Promise<T> => {
  const { context } = run;
  const { audit } = context;
  const access = (chart: string, what: readonly string[] = []): Access => ({
    interaction: isOfOneType(context) ? 'search-type' : 'search-system',
    chart,
    what,
    labels: run.labelsOf(what),
    query: queryText(context, sent, run.named.size === 1 && run.named.has(chart) ? chart : undefined),
  });
  const named = [...run.named];
  const rows = named.map((chart) => audit.row(access(chart)));
  const [outcome] = await Promise.all([settled(search), audit.write(rows)]);
  if ('found' in outcome) for (const [type, record] of shown(outcome.found)) run.decidedBy(type, record);
  // Charts that references have led to stand in their own logs too, whether what is there is shown or only decided what is.
  const further = [...run.named].filter((chart) => !named.includes(chart));
  const touched = new Map([
    ...further.map((chart) => [chart, new Set<string>() as ReadonlySet<string>] as const),
    ...(await run.decisive()),
  ]);
  const later = [...touched].filter(([chart]) => !named.includes(chart));
  if (always && named.length === 0 && later.length === 0) later.push([logOf(context), new Set()]);
  const all = named.map((chart, index) => [chart, rows[index]] as const);
  const rest = later.map(([chart, names]) => [chart, audit.row(access(chart, [...names]))] as const);
  const hidden = [...all, ...rest].flatMap(([chart, row]) => (row && run.isHidden(chart) ? [refusedRow(row)] : []));
  await Promise.all([audit.write([...rest.map(([, row]) => row), ...hidden]), audit.flag(all)]);
  if ('found' in outcome) return outcome.found;
  throw outcome.failure;
};

const settled = async <T>(search: () => Promise<T>): Promise<{ found: T } | { failure: unknown }> => {
  try {
    return { found: await search() };
  } catch (failure) {
    return { failure };
  }
};

const isWithinPatient = ([owner, id, type]: readonly string[]): boolean =>
  owner === 'Patient' && id !== undefined && type !== undefined;

/** A path ends with the type that is searched, `*` for several; without any, all are. */
const isOfOneType = (context: SearchRequest): boolean => /\w$/.test(pathOf(context));

/** @param chart - of the one patient whose log it is, if only one is concerned. */
const queryText = (context: SearchRequest, sent: Traced<unknown>['sent'], chart: string | undefined): string => {
  const [type, id, ...within] = pathOf(context).split('/');
  const { ids } = context.store;
  /** Whether text names a patient, or a record of one, other than this one; an id that a client chose may be anybody's. */
  const tellsOfOthers = (text: string): boolean =>
    text.split(/[,|&$]/).some((part) => {
      const [, owner, name = part] = /(?:^|\/)([A-Z]\w+)\/([^/]+)/.exec(part) ?? [];
      const found = ids.decode(name)?.chart;
      return found === undefined ? owner === 'Patient' : found !== chart;
    });
  const ofPatient =
    chart !== undefined &&
    (isWithinPatient(context.request.path)
      ? !tellsOfOthers(`Patient/${id}`)
      : sent.some(([name, value]) => /^(?:patient|subject)(?::|$)/.test(name) && !tellsOfOthers(patientIn(value))));
  const shown = ofPatient || id?.startsWith('$') ? id : '…';
  const path = id === undefined ? type : [type, shown, ...within].join('/');
  const pairs = sent.map(([name, value]) => {
    if (!ofPatient) return name;
    const isName = /^(?:patient|subject)(?::|$)/.test(name);
    return tellsOfOthers(isName ? patientIn(value) : value) ? name : `${name}=${value}`;
  });
  return `${path}?${pairs.join('&')}`;
};

/** A bare id after `patient` is a patient's. */
const patientIn = (value: string): string => (value.includes('/') ? value : `Patient/${value}`);

/** Where a search is noted that concerns nobody's chart. */
const logOf = ({ asking }: SearchRequest): string => asking.chart ?? asking.caller.organization ?? '';
