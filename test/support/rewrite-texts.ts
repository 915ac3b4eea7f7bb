/** Elements that name other records, by their names: what the schemas say of them is not asked. */
const elements = ['reference', 'url', 'valueUri', 'valueUrl'] as const;

/** Rewrites references and addresses of a resource in place, wherever `rewrite` gives another text. Written apart from shared/fhir/links.ts. */
export const rewriteTexts = (
  resource: fhir4.FhirResource,
  rewrite: (text: string, expression: string) => string | undefined,
): void => walk(resource, resource.resourceType, rewrite);

const walk = (
  value: unknown,
  path: string,
  rewrite: (text: string, expression: string) => string | undefined,
): void => {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) walk(item, `${path}[${index}]`, rewrite);
  else if (typeof value === 'object' && value !== null) {
    const holder = value as Record<string, unknown>;
    for (const element of elements) {
      const text = holder[element];
      const replacement = typeof text === 'string' ? rewrite(text, `${path}.${element}`) : undefined;
      if (replacement !== undefined) holder[element] = replacement;
    }
    for (const [key, member] of Object.entries(holder)) walk(member, `${path}.${key}`, rewrite);
  }
};
