import { fhirTypeName, isKind } from './fhirpath/compile.ts';
import type { Expression } from './fhirpath/parse.ts';
import { typeModels } from './fhirpath/type-model.ts';

/** One step of a path, by the name that the element has in JSON. */
interface Step {
  readonly name: string;
  /** `value` and `Quantity` where the name stands for one type of a choice. */
  readonly choice?: { readonly element: string; readonly type: string };
  /** What its items must meet: `[0]`, an element that equals a text, a reference to a type. */
  readonly filter?: string;
}

/** A way from a resource to elements of one type. */
export interface SearchPath {
  readonly steps: readonly Step[];
  /** FHIR type, or the path of a backbone element. */
  readonly type: string;
}

/** An expression that has no path. */
class UnsupportedPath extends Error {
  override readonly name = 'UnsupportedPath';
}

const childrenOf = (parent: SearchPath, name: string): SearchPath[] => {
  const element = typeModels().get(parent.type)?.elements.get(name);
  return (element?.properties ?? []).map(({ property, type }) => ({
    steps: [...parent.steps, { name: property, ...(element?.choice ? { choice: { element: name, type } } : {}) }],
    type,
  }));
};

/** The path, if only those of its last elements count that meet the filter. */
const filtered = ({ steps, type }: SearchPath, filter: string): SearchPath => {
  const last = steps.at(-1);
  if (last === undefined || last.filter !== undefined) throw new UnsupportedPath('two filters on one element');
  return { steps: [...steps.slice(0, -1), { ...last, filter }], type };
};

const isResolve = (expression: Expression): boolean => expression.kind === 'call' && expression.name === 'resolve';

/** `@Patient` for `resolve() is Patient`, `?system='phone'` for `system = 'phone'`. */
const filterOf = (criterion: Expression | undefined): string => {
  if (criterion?.kind === 'type' && criterion.operator === 'is' && isResolve(criterion.of)) return `@${criterion.type}`;
  if (criterion?.kind === 'binary' && criterion.operator === '=') {
    const { left, right } = criterion;
    if (left.kind === 'member' && left.of === undefined && right.kind === 'literal' && !/['|; ]/.test(`${right.value}`))
      return `?${left.name}='${right.value}'`;
  }
  throw new UnsupportedPath('a filter that is neither an equal text nor a type');
};

/**
 * The paths that an expression of a search parameter stands for.
 *
 * @param self - what a name without anything before it starts from.
 * @throws UnsupportedPath for what paths cannot say.
 */
export const searchPaths = (expression: Expression, self: SearchPath): SearchPath[] => {
  switch (expression.kind) {
    case 'member': {
      const { of, name } = expression;
      if (of === undefined && (name === self.type || name === 'Resource' || name === 'DomainResource')) return [self];
      const parents = of === undefined ? [self] : searchPaths(of, self);
      const found = parents.flatMap((parent) => childrenOf(parent, name));
      if (found.length === 0) throw new UnsupportedPath(`${parents.map(({ type }) => type).join(', ')} has no ${name}`);
      return found;
    }
    case 'index':
      if (expression.index.kind !== 'literal' || expression.index.value !== 0)
        throw new UnsupportedPath('an index but 0');
      return searchPaths(expression.of, self).map((path) => filtered(path, '^'));
    case 'type': {
      const type = fhirTypeName(expression.type);
      if (expression.operator !== 'as') throw new UnsupportedPath('a test of type');
      return searchPaths(expression.of, self).filter((path) => isKind(path.type, type));
    }
    case 'call': {
      const [parameter] = expression.parameters;
      const of = expression.of === undefined ? [self] : searchPaths(expression.of, self);
      if (expression.name === 'where') return of.map((path) => filtered(path, filterOf(parameter)));
      if (expression.name === 'ofType' && parameter?.kind === 'member') {
        const type = fhirTypeName(parameter.name);
        return of.filter((path) => isKind(path.type, type));
      }
      throw new UnsupportedPath(`${expression.name}()`);
    }
    case 'binary':
      if (expression.operator !== '|') throw new UnsupportedPath(`the operator ${expression.operator}`);
      return [...searchPaths(expression.left, self), ...searchPaths(expression.right, self)];
    default:
      throw new UnsupportedPath(expression.kind);
  }
};

/** The paths of `x` in `x.exists() and x != false`, as Patient's `deceased` has it; undefined for any other expression. */
export const existingAndNotFalse = (expression: Expression, self: SearchPath): SearchPath[] | undefined => {
  if (expression.kind !== 'binary' || expression.operator !== 'and') return undefined;
  const { left, right } = expression;
  if (left.kind !== 'call' || left.name !== 'exists' || left.of === undefined) return undefined;
  if (right.kind !== 'binary' || right.operator !== '!=' || JSON.stringify(right.left) !== JSON.stringify(left.of))
    return undefined;
  return right.right.kind === 'literal' && right.right.value === false ? searchPaths(left.of, self) : undefined;
};

const isBackbone = (type: string): boolean => typeModels().get(type)?.kind === 'backbone';

/** What a search value says of its type. */
const valueType = (type: string): string => (isBackbone(type) ? 'BackboneElement' : type);

const printSteps = (steps: readonly Step[]): string =>
  steps.map(({ name, filter = '' }) => `${name}${filter}`).join('.') || '.';

/**
 * Writes paths as `shared/fhir/search-parameter.ts` reads them.
 *
 * @param usualType - what need not be written.
 */
export const printPaths = (paths: readonly SearchPath[], usualType: string): string => {
  const printed: string[] = [];
  let open: { prefix: string; types: string[] } | undefined;
  const close = () => {
    if (open) printed.push(`${open.prefix}[${open.types.join()}]`);
    open = undefined;
  };
  for (const { steps, type } of paths) {
    const last = steps.at(-1);
    if (last?.choice && last.filter === undefined) {
      const prefix = printSteps([...steps.slice(0, -1), { name: last.choice.element }]);
      if (open?.prefix !== prefix) {
        close();
        open = { prefix, types: [] };
      }
      open?.types.push(last.choice.type);
    } else {
      close();
      const name = valueType(type);
      printed.push(`${printSteps(steps)}${name === usualType ? '' : `:${name}`}`);
    }
  }
  close();
  return printed.join('|');
};
