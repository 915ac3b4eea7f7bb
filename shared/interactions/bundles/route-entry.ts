import { RecordError } from '../../errors.ts';
import type { RecordType } from '../../record-types/define-record-type.ts';
import type { Answer } from '../context.ts';
import { interact } from '../interact.ts';
import { type BundleContext, contextOf, type Entry, type EntryRequest, parseEntry } from './entry.ts';

/** An entry whose path is known to offer its method. */
export interface RoutedEntry extends EntryRequest {
  /** Undefined for what is asked of the whole system. */
  readonly recordType: RecordType | undefined;
  /** FHIR's name of the interaction, such as `create` or `search-type`. */
  readonly interaction: string;
  readonly plan?: Entry['plan'];
  /** Whether it is an operation that writes by itself, so that a transaction cannot write it with the rest, or take it back. */
  readonly writesAlone?: boolean;
  /** Carries it out, as if it had come alone. */
  readonly carryOut: (context: BundleContext) => Promise<Answer>;
}

/**
 * Understands an entry.
 *
 * @throws RecordError naming what is missing or wrong in it, or telling that nothing is offered under its URL.
 */
export const routeEntry = (context: BundleContext, given: unknown, index: number): RoutedEntry => {
  const asked = parseEntry(context, given, index);
  const { request, path } = asked;
  const [name = '', ...within] = path;
  const recordType = context.typeNamed(name);
  if (recordType) {
    const { route, target } = atUrl(index, () => context.routeFor(recordType, request.method, within));
    const { plan } = route;
    const entry = { ...asked, recordType };
    return {
      ...entry,
      interaction: route.name,
      plan: plan && ((own) => plan(own, target)),
      writesAlone: route.once !== undefined && route.name === 'operation' && !plan,
      carryOut: async (bundle) => {
        bundle.budget.begin();
        return interact(contextOf(bundle, entry), route, target);
      },
    };
  }
  const route = atUrl(index, () => context.systemRouteFor(request.method, path));
  if (!route) throw new RecordError('invalid', 'There is no such resource type', { expression: urlOf(index) });
  return {
    ...asked,
    recordType,
    interaction: route.name,
    carryOut: async (bundle) => {
      bundle.budget.begin(route.name === 'capabilities');
      return route.interaction({ ...bundle, request });
    },
  };
};

const urlOf = (index: number): string => `Bundle.entry[${index}].request.url`;

/** What is not offered is told of the URL. */
const atUrl = <T>(index: number, route: () => T): T => {
  try {
    return route();
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    const { kind, message, reason, headers } = error;
    throw new RecordError(kind, message, { reason, headers, expression: urlOf(index) });
  }
};

const writing: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete']);

/** Whether an entry writes, and so is committed with the others of its transaction. */
export const writes = (entry: RoutedEntry): entry is RoutedEntry & Entry =>
  writing.has(entry.interaction) || entry.plan !== undefined;

/**
 * When an entry is carried out: deletions, then whatever is posted, then changes, then what reads, searches by POST among it.
 * https://hl7.org/fhir/R4/http.html#trules
 */
export const phaseOf = ({ method, path }: EntryRequest): number =>
  ({ DELETE: 0, POST: path.at(-1) === '_search' ? 3 : 1, PUT: 2, PATCH: 2 })[method] ?? 3;

/** The last phase: it sees what the bundle has written. */
export const readingPhase = 3;
