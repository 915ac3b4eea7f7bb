import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { RecordType } from '../../record-types/define-record-type.ts';
import { beside } from '../../search/joins.ts';
import { matches } from '../../search/matches.ts';
import { inParallel } from '../../store/in-parallel.ts';
import { conditionalMatch } from '../conditional-match.ts';
import { parseBody } from '../parse-body.ts';
import { openSearch } from '../search/open.ts';
import { concurrency } from './each-entry.ts';
import { type BundleContext, bodyOf, contextOf, type Entry } from './entry.ts';
import { inEntry } from './in-entry.ts';
import { nameOf } from './match-conditions.ts';
import { linksOf } from './rewrite-entry.ts';

/** What is there once the transaction is carried out, as far as conditional references look at it. */
export interface Outlook {
  /** Entries whose whole resource becomes a record. */
  readonly writing: readonly Entry[];
  /** The id that the record of such an entry has already. */
  readonly idOf: (entry: Entry) => string | undefined;
  /** `Type/id` of what is deleted. */
  readonly deleted: ReadonlySet<string>;
}

interface Asked {
  readonly entry: Entry;
  readonly expression: string;
  readonly type: string;
  readonly query: string;
}

/** Resources of a transaction that are held against its conditional references: each against each, of their type. */
const mostComparisons = 500_000;

/**
 * Resolves conditional references, each once. They come last of all, so what the transaction writes counts as it will be, and what it deletes does not;
 * patches apart, whose records count as they are, and chains, which look at what was there. https://hl7.org/fhir/R4/http.html#trules
 *
 * @returns by reference `Type/id` of the record that it means, or the entry that creates it.
 * @throws RecordError `no-match`, `multiple-matches`, naming an entry and the element.
 */
export const resolveConditions = async (
  bundle: BundleContext,
  writes: readonly Entry[],
  outlook: Outlook,
): Promise<Map<string, string | Entry>> => {
  const asked = new Map<string, Asked>();
  for (const entry of writes) {
    linksOf(entry, (reference, kind, expression) => {
      const parsed = kind === 'reference' ? parseReference(reference, bundle.request.baseUrl) : undefined;
      if (parsed?.kind === 'conditional' && !asked.has(reference))
        asked.set(reference, { entry, expression, ...parsed });
      return undefined;
    });
  }
  const byType = Map.groupBy(outlook.writing, ({ recordType }) => recordType.name);
  let comparisons = 0;
  const resolved = await inParallel(concurrency, [...asked], async ([reference, each]) => {
    try {
      const writing = byType.get(each.type) ?? [];
      comparisons += writing.length;
      if (comparisons > mostComparisons) {
        throw new RecordError('too-costly', 'The transaction has too many conditional references to what it writes', {
          expression: each.expression,
        });
      }
      return [reference, await meantBy(bundle, each, writing, outlook)] as const;
    } catch (error) {
      throw inEntry(error, each.entry.index);
    }
  });
  return new Map(resolved);
};

const meantBy = async (
  bundle: BundleContext,
  { entry, expression, type, query }: Asked,
  writing: readonly Entry[],
  { idOf, deleted }: Outlook,
): Promise<string | Entry> => {
  const recordType = bundle.typeNamed(type);
  if (!recordType) throw new RecordError('invalid', 'There is no such resource type', { expression });
  const context = { ...contextOf(bundle, entry), recordType };
  const replaced = new Set(writing.map((each) => `${type}/${idOf(each)}`));
  bundle.budget.begin();
  const stored = await conditionalMatch(context, query, expression, 1, (record) => {
    const name = nameOf(record);
    return deleted.has(name) || replaced.has(name);
  });
  const meeting = writing.length === 0 ? [] : await meetingEntries(context, query, writing, idOf);
  const [match, ...others] = [
    ...stored.matches.map(nameOf),
    ...meeting.map((each) => {
      const id = idOf(each);
      return id === undefined ? each : `${type}/${id}`;
    }),
  ];
  if (match === undefined) {
    throw new RecordError('no-match', 'The conditional reference matches no record', {
      reason: 'reference-not-found',
      expression,
    });
  }
  if (others.length > 0) {
    throw new RecordError('multiple-matches', 'Several records meet this condition', { expression });
  }
  return match;
};

/** Entries whose resources meet a condition. */
const meetingEntries = async (
  context: Parameters<typeof conditionalMatch>[0],
  condition: string,
  writing: readonly Entry[],
  idOf: Outlook['idOf'],
): Promise<Entry[]> => {
  const sent = [...new URLSearchParams(condition)];
  const request = { ...context.request, path: [context.recordType.name], query: sent };
  const { run, query } = await openSearch({ ...context, request }, sent, { strict: true });
  if (beside(query.conditions).length > 0) return [];
  return writing.filter((entry) => {
    const facts = run.factsOf({ id: idOf(entry) ?? '', lastUpdated: context.now });
    return inForm(entry, context.recordType, (resource) => matches(query.conditions, resource, facts));
  });
};

/** Looks at a body that is not checked yet. What is not of its type's form is refused here already, if it cannot be looked at. */
const inForm = <T>(entry: Entry, recordType: RecordType, look: (resource: Resource) => T): T => {
  const resource = bodyOf(entry);
  try {
    return look(resource);
  } catch (error) {
    try {
      parseBody(recordType, resource);
    } catch (refusal) {
      throw inEntry(refusal, entry.index);
    }
    throw error;
  }
};
