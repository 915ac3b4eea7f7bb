type JsonObject = Readonly<Record<string, unknown>>;

/** One value of an element. */
export interface Element {
  /** Undefined where only extensions stand in the place of a primitive. */
  readonly value: unknown;
  /** Where its own elements are: in itself, or in what stands beside a primitive. https://hl7.org/fhir/R4/json.html#primitive */
  readonly children: JsonObject;
  /** The JSON property that holds it, such as `valueQuantity`; of a resource its type. */
  readonly property: string;
  /** Its place, where the property holds a list. */
  readonly index?: number | undefined;
  readonly within?: Element | undefined;
}

/** `Patient.identifier[0].system`: made only of what is reported, since a resource may have a hundred thousand elements. */
export const expressionOf = ({ property, index, within }: Element): string =>
  `${within ? `${expressionOf(within)}.` : ''}${property}${index === undefined ? '' : `[${index}]`}`;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Asked for most often: most elements are not there. */
const none: readonly Element[] = [];
const noChildren: JsonObject = {};

const elementsIn = (within: Element, property: string): readonly Element[] => {
  const { children } = within;
  const held = children[property];
  const beside = children[`_${property}`];
  const element = (value: unknown, extra: unknown, index?: number): Element => ({
    value: value ?? undefined,
    children: isObject(value) ? value : isObject(extra) ? extra : noChildren,
    property,
    index,
    within,
  });
  if (held === undefined && beside === undefined) return none;
  const [values, extras] = [held ?? [], beside ?? []];
  if (!Array.isArray(values) || !Array.isArray(extras)) return [element(held, beside)];
  const longer: unknown[] = values.length < extras.length ? extras : values;
  return longer.map((_, at) => element(values[at], extras[at], at));
};

/**
 * The values of an element in their order, those included that only have extensions.
 *
 * @param within - an element of JSON that has the structure that R4 asks for.
 * @param name - of the element; `value[x]` means any of its types.
 */
export const elementsOf = (within: Element, name: string): readonly Element[] => {
  if (!name.endsWith('[x]')) return elementsIn(within, name);
  const stem = name.slice(0, -3);
  for (const key in within.children) {
    const property = key.startsWith('_') ? key.slice(1) : key;
    const first = property.charAt(stem.length);
    // R4 allows one type at a time
    if (property.startsWith(stem) && first >= 'A' && first <= 'Z') return elementsIn(within, property);
  }
  return none;
};
