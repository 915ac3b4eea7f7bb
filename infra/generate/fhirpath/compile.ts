import type * as runtime from '../../../shared/fhir/fhirpath-runtime.ts';
import type { Expression } from './parse.ts';
import type { Truth } from './truth.ts';
import { all, both, differ, either, isDefinite, negated, not, same, threeValued } from './truth.ts';
import type { TypeModels } from './type-model.ts';

/**
 * Part of the result of an expression: values of one FHIR type.
 * A choice such as `Observation.value` or a union `a | b` has several branches.
 */
export interface Branch {
  /** FHIR type, path of a backbone element, `System.…` for computed values, `*` if nothing is known. */
  readonly type: string;
  /** TypeScript expression: a list if `many`, else a value or undefined. */
  readonly code: string;
  /** Differs from `code` for primitives, which exist also where they have only extensions. */
  readonly present?: string;
  readonly many: boolean;
  /** Never empty. */
  readonly definite?: boolean;
  /** Name for the parameter of a function over its values. */
  readonly hint?: string;
  /** The reference, if the branch is what `resolve()` gives. */
  readonly reference?: Branch;
}

export interface Collection {
  readonly kind: 'collection';
  readonly branches: readonly Branch[];
  /** Set if the branches are all types of one choice element of a single value. */
  readonly choice?: { readonly element: string; readonly name: string };
}

export interface Scope {
  /** What `$this`, or a name without anything before it, starts from. */
  readonly self: Branch;
  /** What `%resource`, `%rootResource`, `%context` stand for. */
  readonly constants: Readonly<Record<string, Branch>>;
}

/** Thrown for an expression that has no translation; the message says why. */
export class UnsupportedExpression extends Error {
  override readonly name = 'UnsupportedExpression';
}

const systemConstants: Readonly<Record<string, string>> = { ucum: 'http://unitsofmeasure.org' };

const primitiveParents: Readonly<Record<string, string>> = {
  code: 'string',
  id: 'string',
  markdown: 'string',
  url: 'uri',
  canonical: 'uri',
  oid: 'uri',
  uuid: 'uri',
  positiveInt: 'integer',
  unsignedInt: 'integer',
  Age: 'Quantity',
  Count: 'Quantity',
  Distance: 'Quantity',
  Duration: 'Quantity',
};

/** Whether a FHIR datatype is another or a specialisation of it, as a code is a string. */
export const isKind = (type: string, wanted: string): boolean => {
  for (let current: string | undefined = type; current !== undefined; current = primitiveParents[current]) {
    if (current === wanted) return true;
  }
  return false;
};

const systemTypes = new Set(['Boolean', 'String', 'Integer', 'Decimal', 'Date', 'DateTime', 'Time']);

/** `DateTime`, as some expressions call it, is FHIR's `dateTime`. */
export const fhirTypeName = (name: string): string =>
  systemTypes.has(name) ? name.charAt(0).toLowerCase() + name.slice(1) : name;

const dateTypes = new Set(['date', 'dateTime', 'instant']);
const numberTypes = new Set(['decimal', 'integer', 'positiveInt', 'unsignedInt', 'System.Integer']);
const reservedWords = new Set(['case', 'class', 'default', 'for', 'function', 'import', 'package', 'when', 'with']);

const quoted = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

/** A call of a function of `shared/fhir/fhirpath-runtime.ts`. */
const callOf = (name: keyof typeof runtime, ...parameters: readonly string[]): string =>
  `${name}(${parameters.join(', ')})`;

const collectionOf = (...branches: Branch[]): Collection => ({ kind: 'collection', branches });
const computed = (type: string, code: string): Collection => collectionOf({ type, code, many: false, definite: true });

/** The pattern with no escape but those it needs, as the u flag and the linter want it; the published ones escape at will. */
const strictPattern = (source: string): string => {
  let inClass = false;
  return source.replace(/\\.|[[\]]/gs, (part) => {
    if (part === '[') {
      inClass = true;
      return part;
    }
    if (part === ']') {
      const closes = inClass;
      inClass = false;
      return closes ? part : '\\]';
    }
    const escaped = part.charAt(1);
    const needed = inClass ? /[\w\\\]^-]/ : /[\w\\^$.*+?()[\]{}|/]/;
    return needed.test(escaped) && escaped !== '_' ? part : escaped;
  });
};

const negation = (of: Expression): Expression => ({ kind: 'call', of, name: 'not', parameters: [] });

const isName = (code: string): boolean => /^\w+$/.test(code);
const property = (branch: Branch, name: string): string => `${branch.code}${isName(branch.code) ? '.' : '?.'}${name}`;

/** Compiles FHIRPath expressions to TypeScript over the JSON form of resources. */
export class Compiler {
  readonly #models: TypeModels;

  constructor(models: TypeModels) {
    this.#models = models;
  }

  /** @throws UnsupportedExpression if the expression has no translation. */
  compile(expression: Expression, scope: Scope): Collection | Truth {
    switch (expression.kind) {
      case 'literal':
        return typeof expression.value === 'boolean'
          ? both(String(expression.value))
          : typeof expression.value === 'string'
            ? computed('System.String', quoted(expression.value))
            : computed('System.Integer', String(expression.value));
      case 'empty':
        return collectionOf();
      case 'this':
        return collectionOf(scope.self);
      case 'constant':
        return this.#constant(expression.name, scope);
      case 'member':
        return this.#member(expression.of, expression.name, scope);
      case 'index': {
        const { branch } = this.#single(expression.of, scope, 'many');
        if (expression.index.kind !== 'literal') throw new UnsupportedExpression('an index that is not a number');
        return collectionOf({
          ...this.#bare(branch),
          code: `${branch.code}?.[${expression.index.value}]`,
          many: false,
        });
      }
      case 'type':
        return this.#typed(expression.of, expression.operator, expression.type, scope);
      case 'call':
        return this.#call(expression, scope);
      case 'binary':
        return this.#binary(expression.operator, expression.left, expression.right, scope);
    }
  }

  /** Compiles a criterion; a boolean element counts as its value. */
  truth(expression: Expression, scope: Scope): Truth {
    const result = this.compile(expression, scope);
    if (result.kind === 'truth') return result;
    const [branch, ...more] = result.branches;
    if (branch === undefined) return { kind: 'truth', isTrue: 'false', isNotFalse: 'true' };
    if (branch.type !== 'boolean' || branch.many || more.length > 0) {
      throw new UnsupportedExpression('a criterion that is not a boolean');
    }
    return { kind: 'truth', isTrue: `${branch.code} === true`, isNotFalse: `${branch.code} !== false` };
  }

  collection(expression: Expression, scope: Scope): Collection {
    const result = this.compile(expression, scope);
    if (result.kind === 'collection') return result;
    return collectionOf(
      isDefinite(result)
        ? { type: 'boolean', code: result.isTrue, many: false, definite: true }
        : {
            type: 'boolean',
            code: `(${result.isTrue} ? true : ${result.isNotFalse} ? undefined : false)`,
            many: false,
          },
    );
  }

  /** A branch without what only its own place gave it. */
  #bare({ type, code, many, hint }: Branch): Branch {
    return { type, code, many, ...(hint === undefined ? {} : { hint }) };
  }

  #constant(name: string, scope: Scope): Collection {
    const branch = scope.constants[name];
    if (branch !== undefined) return collectionOf(branch);
    const text = systemConstants[name];
    if (text === undefined) throw new UnsupportedExpression(`%${name}`);
    return computed('System.String', quoted(text));
  }

  #member(of: Expression | undefined, name: string, scope: Scope): Collection {
    if (of !== undefined) return this.#children(this.collection(of, scope), name);
    const isOwnType =
      name === scope.self.type ||
      (this.#models.get(scope.self.type)?.kind === 'resource' && (name === 'Resource' || name === 'DomainResource'));
    return isOwnType ? collectionOf(scope.self) : this.#children(collectionOf(scope.self), name);
  }

  #children(parents: Collection, name: string): Collection {
    const children = parents.branches.map((branch) => this.#childrenOf(branch, name));
    const branches = children.flatMap((found) => found?.branches ?? []);
    if (branches.length === 0 && parents.branches.length > 0) {
      throw new UnsupportedExpression(`${parents.branches.map((branch) => branch.type).join(', ')} has no ${name}`);
    }
    const choice = parents.branches.length === 1 ? children[0]?.choice : undefined;
    return { kind: 'collection', branches, ...(choice === undefined ? {} : { choice }) };
  }

  #childrenOf(parent: Branch, name: string): Collection | undefined {
    if (parent.type === '*') {
      return collectionOf({
        type: '*',
        code: callOf('children', parent.code, quoted(name)),
        many: true,
        hint: name,
      });
    }
    const element = this.#models.get(parent.type)?.elements.get(name);
    if (element === undefined) return undefined;
    if (parent.many) {
      const parameter = this.#parameter(parent);
      const inner = this.#childrenOf({ ...parent, code: parameter, many: false }, name);
      return collectionOf(
        ...(inner?.branches ?? []).map((branch): Branch => {
          const selected = (code: string): string => callOf('select', parent.code, `(${parameter}) => ${code}`);
          return {
            ...branch,
            code: selected(branch.code),
            ...(branch.present === undefined ? {} : { present: selected(branch.present) }),
            many: true,
          };
        }),
      );
    }
    const branches = element.properties.map(({ property: key, type }): Branch => {
      const code = property(parent, key);
      const hasExtensions = this.#models.get(type)?.kind === 'primitive' && name !== 'id';
      return {
        type,
        code,
        ...(hasExtensions ? { present: `${code} ?? ${property(parent, `_${key}`)}` } : {}),
        many: element.many,
        hint: name,
      };
    });
    const isAmbiguous = [...(this.#models.get(parent.type)?.elements.keys() ?? [])].some((other) =>
      new RegExp(`^${name}[A-Z]`).test(other),
    );
    return {
      kind: 'collection',
      branches,
      ...(element.choice && !isAmbiguous ? { choice: { element: parent.code, name } } : {}),
    };
  }

  #parameter(branch: Branch): string {
    const name = branch.hint ?? 'item';
    return reservedWords.has(name) ? `${name}Item` : name;
  }

  #single(expression: Expression | undefined, scope: Scope, cardinality: 'one' | 'many' | 'any'): { branch: Branch } {
    const { branches } = expression === undefined ? collectionOf(scope.self) : this.collection(expression, scope);
    const [branch] = branches;
    if (branch === undefined || branches.length > 1)
      throw new UnsupportedExpression('a choice where one type is needed');
    if (cardinality !== 'any' && branch.many !== (cardinality === 'many')) {
      throw new UnsupportedExpression(
        cardinality === 'one' ? 'a list where one value is needed' : 'an index into one value',
      );
    }
    return { branch };
  }

  #exists(collection: Collection): Truth {
    if (collection.branches.some((branch) => branch.definite === true)) return both('true');
    if (collection.branches.length === 0) return both('false');
    if (collection.choice !== undefined && collection.branches.length > 1) {
      return both(callOf('hasChoice', collection.choice.element, quoted(collection.choice.name)));
    }
    return both(callOf('exists', ...collection.branches.map((branch) => branch.present ?? branch.code)));
  }

  /** One list of all values. */
  #list(collection: Collection): string {
    const [branch] = collection.branches;
    return branch !== undefined && collection.branches.length === 1 && branch.many
      ? branch.code
      : callOf('union', ...collection.branches.map((each) => each.code));
  }

  /** One value, if each branch has one at most. */
  #value(collection: Collection): string {
    if (collection.branches.some((branch) => branch.many)) return this.#list(collection);
    const codes = collection.branches.map((branch) => branch.code);
    return codes.length === 1 ? (codes[0] ?? 'undefined') : `(${codes.join(' ?? ')})`;
  }

  #typed(of: Expression, operator: 'is' | 'as', typeName: string, scope: Scope): Collection | Truth {
    const type = fhirTypeName(typeName);
    const collection = this.collection(of, scope);
    const [first] = collection.branches;
    if (first !== undefined && collection.branches.length === 1) {
      if (first.reference !== undefined) return this.#resolved(first, operator, type);
      if (this.#models.get(first.type)?.abstract === true) return this.#resourceOf(first, operator, type);
    }
    const matching = collectionOf(...collection.branches.filter((branch) => isKind(branch.type, type)));
    if (operator === 'as') return matching;
    const isTrue = this.#exists(matching);
    return either(isTrue, {
      kind: 'truth',
      isTrue: 'false',
      isNotFalse: negated(this.#exists(collection).isTrue),
    });
  }

  #resolved(branch: Branch, operator: 'is' | 'as', type: string): Collection | Truth {
    if (branch.many || branch.reference === undefined) throw new UnsupportedExpression('resolve() of a list');
    if (operator === 'is') {
      return {
        kind: 'truth',
        isTrue: `${branch.code} === ${quoted(type)}`,
        isNotFalse: `(${branch.code} ?? ${quoted(type)}) === ${quoted(type)}`,
      };
    }
    return collectionOf({
      ...this.#bare(branch.reference),
      code: callOf('ofReferencedType', branch.reference.code, quoted(type)),
    });
  }

  #resourceOf(branch: Branch, operator: 'is' | 'as', type: string): Collection | Truth {
    if (branch.many) throw new UnsupportedExpression('the type of a list of resources');
    const isTrue = `${property(branch, 'resourceType')} === ${quoted(type)}`;
    if (operator === 'is') {
      return { kind: 'truth', isTrue, isNotFalse: `${branch.code} === undefined || ${isTrue}` };
    }
    return collectionOf({ ...this.#bare(branch), type, code: `(${isTrue} ? ${branch.code} : undefined)` });
  }

  #where(collection: Collection, criterion: Expression, scope: Scope): Collection {
    return collectionOf(
      ...collection.branches.map((branch): Branch => {
        if (!branch.many) {
          const { isTrue } = this.truth(criterion, { ...scope, self: branch });
          const target = this.#referencedTarget(criterion);
          return target === undefined
            ? { ...this.#bare(branch), code: `(${isTrue} ? ${branch.code} : undefined)` }
            : { ...this.#bare(branch), code: callOf('ofReferencedType', branch.code, quoted(target)) };
        }
        const parameter = this.#lambda(branch, criterion, scope);
        return { ...this.#bare(branch), code: callOf('where', branch.code, parameter.isTrue) };
      }),
    );
  }

  /** `Patient` for the criterion `resolve() is Patient`. */
  #referencedTarget(criterion: Expression): string | undefined {
    return criterion.kind === 'type' &&
      criterion.operator === 'is' &&
      criterion.of.kind === 'call' &&
      criterion.of.name === 'resolve' &&
      criterion.of.of === undefined
      ? criterion.type
      : undefined;
  }

  /** A criterion as functions of one value of a list. */
  #lambda(branch: Branch, criterion: Expression, scope: Scope): { isTrue: string; isNotFalse: string } {
    const taken = new Set([scope.self.code, ...Object.values(scope.constants).map((constant) => constant.code)]);
    let parameter = this.#parameter(branch);
    while (taken.has(parameter)) parameter += 'Item';
    const { isTrue, isNotFalse } = this.truth(criterion, {
      ...scope,
      self: { ...this.#bare(branch), code: parameter, many: false },
    });
    return { isTrue: `(${parameter}) => ${isTrue}`, isNotFalse: `(${parameter}) => ${isNotFalse}` };
  }

  #select(collection: Collection, projection: Expression, scope: Scope): Collection {
    return collectionOf(
      ...collection.branches.flatMap((branch) => {
        if (!branch.many) return this.collection(projection, { ...scope, self: branch }).branches;
        const parameter = this.#parameter(branch);
        const self = { ...this.#bare(branch), code: parameter, many: false };
        return this.collection(projection, { ...scope, self }).branches.map(
          (inner): Branch => ({
            ...this.#bare(inner),
            code: callOf('select', branch.code, `(${parameter}) => ${inner.code}`),
            many: true,
          }),
        );
      }),
    );
  }

  #call(call: Extract<Expression, { kind: 'call' }>, scope: Scope): Collection | Truth {
    const [parameter] = call.parameters;
    const focus = (): Collection =>
      call.of === undefined ? collectionOf(scope.self) : this.collection(call.of, scope);
    const required = (): Expression => {
      if (parameter === undefined) throw new UnsupportedExpression(`${call.name}() without a parameter`);
      return parameter;
    };
    const typeParameter = (): string => {
      const expression = required();
      if (expression.kind !== 'member')
        throw new UnsupportedExpression(`${call.name}() of something that is not a type`);
      return expression.name;
    };
    const text = (): string => {
      const { branch } = this.#single(required(), scope, 'one');
      if (branch.definite !== true) throw new UnsupportedExpression(`${call.name}() of a value that may be empty`);
      return branch.code;
    };
    switch (call.name) {
      case 'exists':
        return this.#exists(parameter === undefined ? focus() : this.#where(focus(), parameter, scope));
      case 'empty':
        return not(this.#exists(focus()));
      case 'not':
        return not(call.of === undefined ? both('true') : this.truth(call.of, scope));
      case 'hasValue': {
        const { branch } = this.#single(call.of, scope, 'one');
        return both(callOf('exists', branch.code));
      }
      case 'count':
        return computed(
          'System.Integer',
          callOf('count', ...focus().branches.map((branch) => branch.present ?? branch.code)),
        );
      case 'where':
        return this.#where(focus(), required(), scope);
      case 'select':
        return this.#select(focus(), required(), scope);
      case 'all':
        return focus()
          .branches.map((branch) =>
            branch.many
              ? both(callOf('every', branch.code, this.#lambda(branch, required(), scope).isTrue))
              : either(
                  not(this.#exists(collectionOf(branch))),
                  both(this.truth(required(), { ...scope, self: branch }).isTrue),
                ),
          )
          .reduce(all, both('true'));
      case 'allFalse':
        return this.#allFalse(call.of, scope);
      case 'ofType':
      case 'as':
      case 'is':
        return this.#typed(call.of ?? { kind: 'this' }, call.name === 'is' ? 'is' : 'as', typeParameter(), scope);
      case 'resolve': {
        const { branch } = this.#single(call.of, scope, 'one');
        if (branch.type !== 'Reference') throw new UnsupportedExpression(`resolve() of ${branch.type}`);
        return collectionOf({
          type: 'Resource',
          code: callOf('referencedType', branch.code),
          many: false,
          reference: branch,
        });
      }
      case 'extension': {
        const url: Expression = { kind: 'member', of: undefined, name: 'url' };
        return this.#where(
          this.#children(focus(), 'extension'),
          { kind: 'binary', operator: '=', left: url, right: required() },
          scope,
        );
      }
      case 'iif': {
        const [, then, otherwise = { kind: 'empty' } as const] = call.parameters;
        if (then === undefined) throw new UnsupportedExpression('iif() without a result');
        const inner = call.of === undefined ? scope : { ...scope, self: this.#single(call.of, scope, 'any').branch };
        const condition = this.truth(required(), inner).isTrue;
        const [yes, no] = [this.truth(then, inner), this.truth(otherwise, inner)];
        return {
          kind: 'truth',
          isTrue: `(${condition} ? ${yes.isTrue} : ${no.isTrue})`,
          isNotFalse: `(${condition} ? ${yes.isNotFalse} : ${no.isNotFalse})`,
        };
      }
      case 'first': {
        const { branch } = this.#single(call.of, scope, 'any');
        return collectionOf(branch.many ? { ...this.#bare(branch), code: `${branch.code}?.[0]`, many: false } : branch);
      }
      case 'tail': {
        const { branch } = this.#single(call.of, scope, 'many');
        return collectionOf({ ...this.#bare(branch), code: `${branch.code}?.slice(1)` });
      }
      case 'combine':
        return collectionOf(...focus().branches, ...this.collection(required(), scope).branches);
      case 'intersect':
        return collectionOf({
          type: '*',
          code: callOf('intersect', this.#list(focus()), this.#list(this.collection(required(), scope))),
          many: true,
        });
      case 'isDistinct':
        return both(callOf('isDistinct', this.#list(focus())));
      case 'children': {
        const { branch } = this.#single(call.of, scope, 'one');
        const names = [...(this.#models.get(branch.type)?.elements.keys() ?? [])];
        return collectionOf(...names.flatMap((name) => this.#children(collectionOf(branch), name).branches));
      }
      case 'descendants': {
        const { branch } = this.#single(call.of, scope, 'one');
        return collectionOf({ type: '*', code: callOf('descendants', branch.code), many: true });
      }
      case 'trace':
        return focus();
      case 'startsWith': {
        const { branch } = this.#single(call.of, scope, 'one');
        const prefix = this.#single(required(), scope, 'one').branch;
        return threeValued(
          prefix.definite === true
            ? `${branch.code}?.startsWith(${prefix.code})`
            : callOf('startsWith', branch.code, prefix.code),
        );
      }
      case 'contains': {
        const { branch } = this.#single(call.of, scope, 'one');
        return threeValued(`${branch.code}?.includes(${text()})`);
      }
      case 'matches': {
        const { branch } = this.#single(call.of, scope, 'one');
        return threeValued(callOf('matches', branch.code, this.#pattern(required())));
      }
      case 'replaceMatches': {
        const { branch } = this.#single(call.of, scope, 'one');
        const replacement = call.parameters[1];
        if (replacement?.kind !== 'literal') throw new UnsupportedExpression('replaceMatches() of a computed text');
        const pattern = `${this.#pattern(required())}g`;
        return collectionOf({
          ...this.#bare(branch),
          type: 'string',
          code: `${branch.code}?.replace(${pattern}, ${quoted(String(replacement.value))})`,
        });
      }
      case 'substring': {
        const { branch } = this.#single(call.of, scope, 'one');
        return collectionOf({ type: 'string', code: callOf('substring', branch.code, text()), many: false });
      }
      case 'toString': {
        const { branch } = this.#single(call.of, scope, 'one');
        return collectionOf({ type: 'string', code: `${branch.code}?.toString()`, many: false });
      }
      case 'toInteger': {
        const { branch } = this.#single(call.of, scope, 'one');
        return collectionOf({ type: 'integer', code: callOf('toInteger', branch.code), many: false });
      }
      default:
        throw new UnsupportedExpression(`${call.name}()`);
    }
  }

  /** Of `list.select(criterion)`, as the only rule has it that asks. */
  #allFalse(of: Expression | undefined, scope: Scope): Truth {
    const criterion = of?.kind === 'call' && of.name === 'select' ? of.parameters[0] : undefined;
    if (of?.kind !== 'call' || criterion === undefined) throw new UnsupportedExpression('allFalse() without select()');
    const { branch } = this.#single(of.of, scope, 'many');
    return both(callOf('every', branch.code, this.#lambda(branch, negation(criterion), scope).isNotFalse));
  }

  #pattern(expression: Expression): string {
    if (expression.kind !== 'literal') throw new UnsupportedExpression('a computed pattern');
    return new RegExp(strictPattern(String(expression.value)), 'su').toString();
  }

  #binary(operator: string, left: Expression, right: Expression, scope: Scope): Collection | Truth {
    switch (operator) {
      case 'and':
        return all(this.truth(left, scope), this.truth(right, scope));
      case 'or':
        return either(this.truth(left, scope), this.truth(right, scope));
      case 'implies':
        return either(not(this.truth(left, scope)), this.truth(right, scope));
      case 'xor':
        return differ(this.truth(left, scope), this.truth(right, scope));
      case '|':
        return collectionOf(...this.collection(left, scope).branches, ...this.collection(right, scope).branches);
      case '=':
        return this.#equality(left, right, scope);
      case '!=':
        return this.#inequality(left, right, scope);
      case 'in':
        return this.#membership(left, right, scope);
      case 'contains':
        return this.#membership(right, left, scope);
      case '&': {
        const parts = [left, right].map((side) => this.#single(side, scope, 'one').branch.code);
        return computed('System.String', callOf('concatenate', ...parts));
      }
      case '+': {
        const parts = [left, right].map((side) => this.#single(side, scope, 'one').branch);
        if (!parts.every((part) => part.definite === true))
          throw new UnsupportedExpression('a sum of what may be empty');
        return computed(parts[0]?.type ?? 'System.Integer', `${parts[0]?.code} + ${parts[1]?.code}`);
      }
      case '<':
      case '<=':
      case '>':
      case '>=':
        return this.#comparison(operator, left, right, scope);
      default:
        throw new UnsupportedExpression(`the operator ${operator}`);
    }
  }

  #sides(left: Expression, right: Expression, scope: Scope): [Collection | Truth, Collection | Truth] {
    return [this.compile(left, scope), this.compile(right, scope)];
  }

  #equality(left: Expression, right: Expression, scope: Scope): Truth {
    const [a, b] = this.#sides(left, right, scope);
    if (a.kind === 'truth' && b.kind === 'truth' && !['true', 'false'].includes(b.isTrue)) return same(a, b);
    const literal = this.#literal(b);
    if (a.kind === 'collection' && literal !== undefined && !a.branches.some((branch) => branch.many)) {
      const value = this.#value(a);
      if (a.branches.some((branch) => branch.definite === true)) return both(`${value} === ${literal}`);
      return {
        kind: 'truth',
        isTrue: `${value} === ${literal}`,
        isNotFalse: `(${value} ?? ${literal}) === ${literal}`,
      };
    }
    return threeValued(callOf('equal', this.#operand(a), this.#operand(b)));
  }

  #inequality(left: Expression, right: Expression, scope: Scope): Truth {
    const [a, b] = this.#sides(left, right, scope);
    if (a.kind === 'truth' && b.kind === 'truth' && !['true', 'false'].includes(b.isTrue)) return differ(a, b);
    const literal = this.#literal(b);
    if (a.kind === 'collection' && literal !== undefined && !a.branches.some((branch) => branch.many)) {
      const value = this.#value(a);
      return {
        kind: 'truth',
        isTrue: `(${value} ?? ${literal}) !== ${literal}`,
        isNotFalse: `${value} !== ${literal}`,
      };
    }
    return not(threeValued(callOf('equal', this.#operand(a), this.#operand(b))));
  }

  #literal(value: Collection | Truth): string | undefined {
    if (value.kind === 'truth') return ['true', 'false'].includes(value.isTrue) ? value.isTrue : undefined;
    const [branch] = value.branches;
    return branch?.type.startsWith('System.') === true && /^('[^']*'|\d+)$/.test(branch.code) ? branch.code : undefined;
  }

  #operand(value: Collection | Truth): string {
    if (value.kind === 'collection') return this.#value(value);
    if (!isDefinite(value)) throw new UnsupportedExpression('comparing a truth value that may be empty');
    return value.isTrue;
  }

  #membership(member: Expression, list: Expression, scope: Scope): Truth {
    const { branch } = this.#single(member, scope, 'one');
    const values = this.collection(list, scope);
    const items = values.branches.every((each) => each.definite === true)
      ? `[${values.branches.map((each) => each.code).join(', ')}]`
      : this.#list(values);
    return threeValued(callOf('memberOf', branch.code, items));
  }

  #comparison(operator: '<' | '<=' | '>' | '>=', left: Expression, right: Expression, scope: Scope): Truth {
    const a = this.#single(left, scope, 'one').branch;
    const b = this.#single(right, scope, 'one').branch;
    if (a.definite === true && b.definite === true) return both(`${a.code} ${operator} ${b.code}`);
    const compare = dateTypes.has(a.type)
      ? 'compareDates'
      : numberTypes.has(a.type)
        ? 'compareNumbers'
        : isKind(a.type, 'Quantity')
          ? 'compareQuantities'
          : undefined;
    if (compare === undefined) throw new UnsupportedExpression(`the order of ${a.type}`);
    const order = callOf(compare, a.code, b.code);
    // stands in for an order that is not known, so that the comparison comes out as asked
    const holding = { '<': -1, '<=': 0, '>': 1, '>=': 0 }[operator];
    const failing = { '<': 0, '<=': 1, '>': 0, '>=': -1 }[operator];
    return {
      kind: 'truth',
      isTrue: `(${order} ?? ${failing}) ${operator} 0`,
      isNotFalse: `(${order} ?? ${holding}) ${operator} 0`,
    };
  }
}
