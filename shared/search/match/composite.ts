import type { Resource } from '../../fhir/resource.ts';
import type { SearchParameter, SearchParameterComponent, SearchValue } from '../../fhir/search-parameter.ts';
import type { CompositeValue, CriterionValue } from '../search-query.ts';

/** Whether one and the same element meets all parts. https://hl7.org/fhir/R4/search.html#composite */
export const matchesComposite = (
  { parts }: CompositeValue,
  { components = [] }: SearchParameter,
  element: SearchValue,
  resource: Resource,
  matchesPart: (part: CriterionValue, component: SearchParameterComponent, target: SearchValue) => boolean,
): boolean =>
  parts.length === components.length &&
  components.every((component, index) => {
    const part = parts[index];
    return (
      part !== undefined &&
      component.values(element.value, resource).some((target) => matchesPart(part, component, target))
    );
  });
