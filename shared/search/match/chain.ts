import type { Resource } from '../../fhir/resource.ts';
import type { SearchValue } from '../../fhir/search-parameter.ts';
import type { RecordFacts } from '../facts.ts';
import { foundBy } from '../found-by.ts';
import { localReference } from '../local-reference.ts';
import type { Chain, Condition } from '../search-query.ts';
import { referenceText } from './reference.ts';

/** Whether what any of the references points at was found; what stands within the record is looked at there. */
export const matchesChain = (
  chain: Chain,
  resource: Resource,
  facts: RecordFacts,
  matches: (conditions: readonly Condition[], resource: Resource, facts: RecordFacts) => boolean,
): boolean =>
  chain.parameter.values(resource).some((target) => {
    const inside = within(target, facts.container ?? resource);
    if (inside === undefined) return false;
    if (inside === null) return foundBy(chain, facts).has(keyOf(target, facts.baseUrl) ?? '');
    const { resourceType, id = '' } = inside;
    const { conditions } = chain.targets.find((each) => each.resourceType === resourceType) ?? {};
    return (
      conditions !== undefined &&
      matches(conditions, inside, { ...facts, id, lastUpdated: undefined, container: facts.container ?? resource })
    );
  });

/** The resource itself, if the element holds it or refers to one in the container; null if it is elsewhere, undefined if nowhere. */
export const within = (target: SearchValue, container: Resource): Resource | null | undefined => {
  if (target.type === 'Resource') return target.value as Resource;
  const text = referenceText(target);
  if (text === undefined) return undefined;
  if (!text.startsWith('#')) return null;
  const contained = Array.isArray(container['contained']) ? (container['contained'] as Resource[]) : [];
  return contained.find(({ id }) => id === text.slice(1));
};

/** The name under which a lookup may have found what an element refers to: see `Lookups`. */
export const keyOf = (target: SearchValue, baseUrl: string): string | undefined => {
  const text = referenceText(target);
  return text === undefined || text.startsWith('#') ? undefined : (localReference(text, baseUrl) ?? text);
};
