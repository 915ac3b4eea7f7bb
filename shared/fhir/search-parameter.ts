import { ofReferencedType } from './fhirpath-runtime.ts';

/** The kinds of search parameter. https://hl7.org/fhir/R4/search.html#ptypes */
export type SearchParameterType =
  | 'token'
  | 'string'
  | 'reference'
  | 'date'
  | 'number'
  | 'quantity'
  | 'uri'
  | 'composite'
  | 'special';

/** One element that a search parameter selects, with its FHIR datatype, since a token may be a Coding, a code, an Identifier … */
export interface SearchValue {
  /** FHIR datatype: `CodeableConcept`, `Coding`, `code`, `Identifier`, `Period`, `dateTime`, `HumanName`, `Reference` … */
  readonly type: string;
  readonly value: unknown;
}

/** Part of a composite parameter; `values` is given one element that the composite's own `values` selected, and the resource. */
export interface SearchParameterComponent {
  readonly code: string;
  readonly type: SearchParameterType;
  readonly targets?: readonly string[] | undefined;
  readonly values: (element: unknown, resource?: unknown) => SearchValue[];
}

/** A search parameter of one resource type, generated from its definition. */
export interface SearchParameter {
  /** Its name in a URL, such as `birthdate`. */
  readonly code: string;
  /** Canonical address of its definition. */
  readonly url: string;
  readonly type: SearchParameterType;
  /** Types that a reference parameter may point at; absent if it may be any. */
  readonly targets?: readonly string[] | undefined;
  /** Whether it selects identifiers, which alone can be asked for by their type. */
  readonly identifiers?: boolean;
  /** The elements selected from a resource, in document order. Never throws for a resource that its schema accepts. */
  readonly values: (resource: unknown, root?: unknown) => SearchValue[];
  /** Only for composites. */
  readonly components?: readonly SearchParameterComponent[] | undefined;
}

/** By the letter that stands for it in a table: the kind of parameter, and the datatype that most of its elements have. */
export const kinds: Readonly<Record<string, readonly [SearchParameterType, usualType: string]>> = {
  c: ['composite', 'BackboneElement'],
  d: ['date', 'dateTime'],
  n: ['number', 'integer'],
  q: ['quantity', 'Quantity'],
  r: ['reference', 'Reference'],
  s: ['string', 'string'],
  t: ['token', 'CodeableConcept'],
  u: ['uri', 'uri'],
  x: ['special', 'BackboneElement'],
};

/** `general-practitioner` is in most cases the element `generalPractitioner`. */
export const usualPath = (code: string): string => code.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/**
 * Reads the table of one type's search parameters. All of R4's, written as code, would be a fifth of the largest function.
 *
 * A line is `code kind path >targets #url`, and behind semicolons the same of each component. The kind is a letter (`kinds`). A path may be
 * left out if it is the code in camel case. Its alternatives are separated by `|`; `value[Quantity,Range]` are two elements,
 * `link.target@Patient` references to a Patient, `telecom?system='email'` items with that system, `entry^` the first of them, `.` the
 * element itself, `name:HumanName` elements of that datatype. `!deceased[boolean,dateTime]` is whether any is there that is not false.
 * No targets are all targets. The url may be left out if it follows R4's rule, `…/SearchParameter/` with type and code; without a slash it
 * is what follows there.
 *
 * @param type - resource type, or `Resource` for those of every type.
 */
export const searchParametersOf = (type: string, table: string): readonly SearchParameter[] =>
  table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => readParameter(type, line));

/** All that can wait does: a function holds many parameters, and a search looks at a few. */
const readParameter = (owner: string, line: string): SearchParameter => {
  const space = line.indexOf(' ');
  const code = line.slice(0, space);
  const [type, usualType] = kinds[line.charAt(space + 1)] ?? ['special', ''];
  let known: Fields | undefined;
  let select: Select | undefined;
  const fields = (): Fields => (known ??= readFields(owner, code, line));
  return {
    code,
    type,
    get url() {
      return fields().url;
    },
    get targets() {
      return fields().targets;
    },
    get components() {
      return fields().components;
    },
    get identifiers() {
      return /:Identifier\b/.test(fields().path);
    },
    values: (element, resource) => {
      select ??= selecting(fields().path, usualType);
      return select(element, resource);
    },
  };
};

interface Fields {
  readonly path: string;
  readonly url: string;
  readonly targets: readonly string[] | undefined;
  readonly components: readonly SearchParameterComponent[] | undefined;
}

const readFields = (owner: string, code: string, line: string): Fields => {
  const [own = '', ...parts] = line.split(';');
  const fields = own.split(' ').slice(2);
  const field = (mark: string): string | undefined => fields.find((each) => each.startsWith(mark))?.slice(1);
  const path = fields.find((each) => !/^[>#]/.test(each)) ?? '';
  const url = field('#') ?? `${owner}-${code.replace(/^_/, '')}`;
  return {
    path: /^(?::|$)/.test(path) ? usualPath(code) + path : path,
    url: url.includes('/') ? url : `http://hl7.org/fhir/SearchParameter/${url}`,
    targets: field('>')?.split(','),
    components: parts.length === 0 ? undefined : parts.map((part) => readParameter(owner, part)),
  };
};

type Select = (element: unknown, resource?: unknown) => SearchValue[];

interface Step {
  readonly name: string;
  readonly first: boolean;
  readonly meets: ((item: Record<string, unknown>) => boolean) | undefined;
}

interface Way {
  readonly fromResource: boolean;
  readonly steps: readonly Step[];
  readonly type: string;
}

const selecting = (path: string, usualType: string): Select => {
  const ways = path
    .replace('!', '')
    .split('|')
    .flatMap((way) => readWay(way, usualType));
  const select: Select = (element, resource) => {
    const found: SearchValue[] = [];
    for (const { fromResource, steps, type } of ways) collect(fromResource ? resource : element, steps, 0, type, found);
    return found;
  };
  return path.startsWith('!')
    ? (element, resource) => [
        { type: 'boolean', value: select(element, resource).some(({ value }) => value !== false) },
      ]
    : select;
};

const readWay = (text: string, usualType: string): Way[] => {
  const [, fromResource, path = '', choice, type = usualType] =
    /^(%?)(.*?)(?:\[([^\]]+)\])?(?::(\w+))?$/.exec(text) ?? [];
  const steps = readSteps(path);
  const way = (last: string | undefined, datatype: string): Way => {
    const [name = '', rest] = [steps.at(-1)?.name, steps.slice(0, -1)];
    const whole = last === undefined ? steps : [...rest, { name: name + last, first: false, meets: undefined }];
    return { fromResource: fromResource === '%', steps: whole, type: datatype };
  };
  if (choice === undefined) return [way(undefined, type)];
  return choice.split(',').map((each) => way(each.charAt(0).toUpperCase() + each.slice(1), each));
};

const readSteps = (path: string): Step[] =>
  [...path.matchAll(/(\w+)(\^?)(?:\?(\w+)='([^']*)')?(?:@(\w+))?/g)].map(([, name = '', first, key, text, target]) => ({
    name,
    first: first === '^',
    meets:
      key !== undefined
        ? (item) => item[key] === text
        : target === undefined
          ? undefined
          : (item) => ofReferencedType(item as fhir4.Reference, target) !== undefined,
  }));

const collect = (value: unknown, steps: readonly Step[], at: number, type: string, found: SearchValue[]): void => {
  if (value === undefined || value === null) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, steps, at, type, found);
    return;
  }
  const step = steps[at];
  if (step === undefined) {
    found.push({ type, value });
    return;
  }
  const { name, first, meets } = step;
  const next = (value as Record<string, unknown>)[name];
  if (meets) {
    const items: unknown[] = Array.isArray(next) ? next : [next];
    for (const item of items)
      if (item !== undefined && item !== null && meets(item as Record<string, unknown>))
        collect(item, steps, at + 1, type, found);
  } else collect(first && Array.isArray(next) ? next[0] : next, steps, at + 1, type, found);
};
