import { RecordError } from '../../errors.ts';
import { parseReference, rewriteReferences } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { inParallel } from '../../store/in-parallel.ts';
import { conditionalMatch } from '../conditional-match.ts';
import { concurrency } from './each-entry.ts';
import { type BundleContext, contextOf, type Entry } from './entry.ts';
import { inEntry } from './in-entry.ts';

/** `Type?query` → `Type/id`, each condition looked up once. https://hl7.org/fhir/R4/http.html#trules */
export const resolveConditions = async (
  bundle: BundleContext,
  writes: readonly Entry[],
): Promise<Map<string, string>> => {
  const found = new Map<string, { entry: Entry; expression: string; type: string; query: string }>();
  for (const entry of writes) {
    if (typeof entry.resource !== 'object' || entry.resource === null) continue;
    rewriteReferences(entry.resource as Resource, (reference, expression) => {
      const parsed = parseReference(reference, bundle.request.baseUrl);
      if (parsed.kind === 'conditional' && !found.has(reference))
        found.set(reference, { entry, expression, ...parsed });
      return undefined;
    });
  }
  const resolved = await inParallel(
    concurrency,
    [...found],
    async ([reference, { entry, expression, type, query }]) => {
      try {
        const recordType = bundle.typeNamed(type);
        if (!recordType) throw new RecordError('invalid', 'There is no such resource type', { expression });
        const { matches } = await conditionalMatch({ ...contextOf(bundle, entry), recordType }, query, expression);
        const [match] = matches;
        if (!match)
          throw new RecordError('invalid', 'The conditional reference matches no record', {
            reason: 'reference-not-found',
            expression,
          });
        return [reference, `${type}/${match.id}`] as const;
      } catch (error) {
        throw inEntry(error, entry.index);
      }
    },
  );
  return new Map(resolved);
};
