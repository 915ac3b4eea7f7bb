import type { Expression as RuleExpression } from '../../shared/profiles/profile.ts';
import type { Expression } from './fhirpath/parse.ts';
import { parse } from './fhirpath/parse.ts';

const operators = new Set(['and', 'or', 'xor', 'implies', '=']);

class UnsupportedRule extends Error {
  override readonly name = 'UnsupportedRule';
}

/**
 * Turns a rule of a profile into what `shared/profiles/evaluate.ts` evaluates.
 *
 * @param isChoice - whether an element of what the rule is about is called `value[x]`.
 * @throws UnsupportedRule if the rule uses more of FHIRPath than that.
 */
export const ruleExpression = (text: string, isChoice: (name: string) => boolean): RuleExpression => {
  const operandOf = (of: Expression | undefined): RuleExpression | null => (of === undefined ? null : translate(of));

  const called = (of: Expression | undefined, name: string, parameters: readonly Expression[]): RuleExpression => {
    const [parameter, ...more] = parameters;
    if (more.length > 0) throw new UnsupportedRule(`${name} with several parameters`);
    switch (name) {
      case 'exists':
        if (parameter === undefined) return [name, operandOf(of)];
        return [name, ['where', operandOf(of), translate(parameter)]];
      case 'empty':
      case 'npi':
        return [name, operandOf(of)];
      case 'where':
        if (parameter !== undefined) return [name, operandOf(of), translate(parameter)];
        break;
      case 'matches':
        if (parameter?.kind === 'literal') return [name, operandOf(of), String(parameter.value)];
        break;
    }
    throw new UnsupportedRule(name);
  };

  const translate = (expression: Expression): RuleExpression => {
    switch (expression.kind) {
      case 'literal':
        if (typeof expression.value === 'number') break;
        return ['literal', expression.value];
      case 'this':
        return ['this'];
      case 'member': {
        const { of, name } = expression;
        return ['member', operandOf(of), of === undefined && isChoice(name) ? `${name}[x]` : name];
      }
      case 'call':
        return called(expression.of, expression.name, expression.parameters);
      case 'type': {
        const { of, operator, type } = expression;
        // `value.ofType(Quantity)` is a call; `resolve() is Patient` is decided by the reference
        if (operator !== 'is' || of.kind !== 'call' || of.name !== 'resolve') break;
        return ['refers', operandOf(of.of), type];
      }
      case 'binary': {
        const { operator, left, right } = expression;
        if (!operators.has(operator)) break;
        return [operator as 'and' | 'or' | 'xor' | 'implies' | '=', translate(left), translate(right)];
      }
    }
    throw new UnsupportedRule(`${expression.kind} in ${text}`);
  };

  return translate(parse(text));
};
