type JsonObject = Readonly<Record<string, unknown>>;

/** One value of an element. */
export interface Element {
  /** Undefined where only extensions stand in the place of a primitive. */
  readonly value: unknown;
  /** Where its own elements are: in itself, or in what stands beside a primitive. https://hl7.org/fhir/R4/json.html#primitive */
  readonly children: JsonObject;
  /** The JSON property that holds it, such as `valueQuantity`. */
  readonly property: string;
  /** Its place behind the parent's expression: `.valueQuantity`, `.identifier[0]`. */
  readonly step: string;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];

/** The properties of a parent that hold an element: itself, or those of a choice `value[x]`. */
const propertiesOf = (parent: JsonObject, name: string): string[] => {
  if (!name.endsWith('[x]')) return [name];
  const stem = name.slice(0, -3);
  const names = Object.keys(parent).map((key) => key.replace(/^_/, ''));
  return [...new Set(names)].filter((key) => key.startsWith(stem) && /^[A-Z]/.test(key.slice(stem.length)));
};

/**
 * The values of an element in their order, those included that only have extensions.
 *
 * @param parent - JSON that has the structure that R4 asks for; what is no object has no elements.
 * @param name - of the element; `value[x]` means any of its types.
 */
export const elementsOf = (parent: unknown, name: string): Element[] => {
  if (!isObject(parent)) return [];
  return propertiesOf(parent, name).flatMap((property) => {
    const [held, beside] = [parent[property], parent[`_${property}`]];
    const isList = Array.isArray(held) || Array.isArray(beside);
    const [values, extras] = [listOf(held), listOf(beside)];
    return Array.from({ length: Math.max(values.length, extras.length) }, (_, at): Element => {
      const value = values[at] ?? undefined;
      const extra = extras[at];
      return {
        value,
        children: isObject(value) ? value : isObject(extra) ? extra : {},
        property,
        step: isList ? `.${property}[${at}]` : `.${property}`,
      };
    });
  });
};
