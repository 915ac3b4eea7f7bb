/**
 * A truth value of FHIRPath's three: true, false, empty. The code of both members is a boolean;
 * they are equal if the value is never empty. https://hl7.org/fhirpath/N1/#boolean-logic
 */
export interface Truth {
  readonly kind: 'truth';
  /** True only if the value is true. */
  readonly isTrue: string;
  /** True if the value is true or empty. */
  readonly isNotFalse: string;
}

/** A truth value that is never empty. */
export const both = (code: string): Truth => ({ kind: 'truth', isTrue: code, isNotFalse: code });
/** Whether it is never empty. */
export const isDefinite = (truth: Truth): boolean => truth.isTrue === truth.isNotFalse;

const isOneCall = (code: string): boolean => {
  if (!/^\w+\(/.test(code) || !code.endsWith(')')) return false;
  let depth = 0;
  for (let at = code.indexOf('('); at < code.length; at += 1) {
    if (code[at] === '(') depth += 1;
    if (code[at] === ')') depth -= 1;
    if (depth === 0) return at === code.length - 1;
  }
  return false;
};

/** `a === b` or `a !== b`, with nothing around it. */
const isOneComparison = (code: string): boolean => {
  const outside = code.replace(/\([^()]*\)/g, '()');
  return /^[^&|=!<>]+ [=!]== [^&|=!<>]+$/.test(outside) && (code.match(/ [=!]== /g) ?? []).length === 1;
};

/** The opposite of a JavaScript condition. */
export const negated = (code: string): string => {
  if (code === 'true') return 'false';
  if (code === 'false') return 'true';
  if (isOneCall(code)) {
    if (code.startsWith('exists(')) return `empty(${code.slice(7)}`;
    if (code.startsWith('empty(')) return `exists(${code.slice(6)}`;
    return `!${code}`;
  }
  if (isOneComparison(code))
    return code.includes(' === ') ? code.replace(' === ', ' !== ') : code.replace(' !== ', ' === ');
  return `!(${code})`;
};

/** The operand of a chain `a || b || c` or `a && b && c`, without parentheses around a part of the same chain. */
const chained = (code: string, operator: '||' | '&&'): string => {
  if (!code.startsWith('(')) return code;
  let depth = 0;
  let hasOperator = false;
  for (let at = 0; at < code.length; at += 1) {
    if (code[at] === '(') depth += 1;
    if (code[at] === ')') depth -= 1;
    if (depth === 0 && at < code.length - 1) return code; // these parentheses do not enclose all of it
    const two = code.slice(at, at + 2);
    if (depth !== 1 || !['||', '&&', '??', '=>', '? '].includes(two)) continue;
    if (two !== operator) return code;
    hasOperator = true;
  }
  return hasOperator ? code.slice(1, -1) : code;
};

const disjunction = (left: string, right: string): string =>
  left === 'false'
    ? right
    : right === 'false'
      ? left
      : left === 'true' || right === 'true'
        ? 'true'
        : `(${chained(left, '||')} || ${chained(right, '||')})`;
const conjunction = (left: string, right: string): string =>
  left === 'true'
    ? right
    : right === 'true'
      ? left
      : left === 'false' || right === 'false'
        ? 'false'
        : `(${chained(left, '&&')} && ${chained(right, '&&')})`;

/** `a.not()` */
export const not = (truth: Truth): Truth => ({
  kind: 'truth',
  isTrue: negated(truth.isNotFalse),
  isNotFalse: negated(truth.isTrue),
});

/** `a or b` */
export const either = (left: Truth, right: Truth): Truth => ({
  kind: 'truth',
  isTrue: disjunction(left.isTrue, right.isTrue),
  isNotFalse: disjunction(left.isNotFalse, right.isNotFalse),
});

/** `a and b` */
export const all = (left: Truth, right: Truth): Truth => ({
  kind: 'truth',
  isTrue: conjunction(left.isTrue, right.isTrue),
  isNotFalse: conjunction(left.isNotFalse, right.isNotFalse),
});

/** `a = b` of two truth values. */
export const same = (left: Truth, right: Truth): Truth =>
  isDefinite(left) && isDefinite(right)
    ? both(`(${left.isTrue}) === (${right.isTrue})`)
    : {
        kind: 'truth',
        isTrue: disjunction(
          conjunction(left.isTrue, right.isTrue),
          conjunction(negated(left.isNotFalse), negated(right.isNotFalse)),
        ),
        isNotFalse: conjunction(
          negated(conjunction(left.isTrue, negated(right.isNotFalse))),
          negated(conjunction(negated(left.isNotFalse), right.isTrue)),
        ),
      };

/** `a xor b`, `a != b` */
export const differ = (left: Truth, right: Truth): Truth =>
  isDefinite(left) && isDefinite(right) ? both(`(${left.isTrue}) !== (${right.isTrue})`) : not(same(left, right));

/** From code of type `boolean | undefined`. */
export const threeValued = (code: string): Truth => ({
  kind: 'truth',
  isTrue: `${code} === true`,
  isNotFalse: `${code} !== false`,
});
