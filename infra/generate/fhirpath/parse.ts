import fhirpath from 'fhirpath';

/** A FHIRPath expression, without the parser's wrappers. https://hl7.org/fhirpath/N1/ */
export type Expression =
  | { kind: 'literal'; value: string | number | boolean }
  | { kind: 'empty' }
  | { kind: 'this' }
  | { kind: 'constant'; name: string }
  | { kind: 'member'; of: Expression | undefined; name: string }
  | { kind: 'call'; of: Expression | undefined; name: string; parameters: readonly Expression[] }
  | { kind: 'index'; of: Expression; index: Expression }
  | { kind: 'type'; operator: 'is' | 'as'; of: Expression; type: string }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression };

interface SyntaxNode {
  readonly type: string;
  readonly text?: string;
  readonly delimitedText?: string;
  readonly children?: readonly SyntaxNode[];
}

const childOf = (node: SyntaxNode, index = 0): SyntaxNode => {
  const child = node.children?.[index];
  if (child === undefined) throw new Error(`FHIRPath: ${node.type} has no child ${index}`);
  return child;
};

const unquoted = (text: string): string =>
  text
    .slice(1, -1)
    .replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_, escape: string) =>
      escape.startsWith('u') && escape.length === 5
        ? String.fromCharCode(Number.parseInt(escape.slice(1), 16))
        : ({ n: '\n', r: '\r', t: '\t', f: '\f' }[escape] ?? escape),
    );

const identifierOf = (node: SyntaxNode): string => {
  if (node.type === 'Identifier') return (node.text ?? '').replace(/^`(.*)`$/, '$1');
  return identifierOf(childOf(node));
};

const literalOf = (node: SyntaxNode): Expression => {
  const text = node.text ?? '';
  switch (node.type) {
    case 'StringLiteral':
      return { kind: 'literal', value: unquoted(text) };
    case 'NumberLiteral':
      return { kind: 'literal', value: Number(text) };
    case 'BooleanLiteral':
      return { kind: 'literal', value: text === 'true' };
    case 'NullLiteral':
      return { kind: 'empty' };
    default:
      throw new Error(`FHIRPath: unsupported literal ${node.type}`);
  }
};

const simplified = (node: SyntaxNode, of?: Expression): Expression => {
  switch (node.type) {
    case 'EntireExpression':
    case 'TermExpression':
    case 'InvocationTerm':
    case 'ParenthesizedTerm':
      return simplified(childOf(node), of);
    case 'InvocationExpression':
      return simplified(childOf(node, 1), simplified(childOf(node)));
    case 'MemberInvocation':
      return { kind: 'member', of, name: identifierOf(node) };
    case 'ThisInvocation':
      return { kind: 'this' };
    case 'FunctionInvocation': {
      const [name, list] = childOf(node).children ?? [];
      if (name === undefined) throw new Error('FHIRPath: a function without a name');
      return {
        kind: 'call',
        of,
        name: identifierOf(name),
        parameters: (list?.children ?? []).map((parameter) => simplified(parameter)),
      };
    }
    case 'IndexerExpression':
      return { kind: 'index', of: simplified(childOf(node)), index: simplified(childOf(node, 1)) };
    case 'LiteralTerm':
      return literalOf(childOf(node).text === undefined ? { ...childOf(node), text: node.text ?? '' } : childOf(node));
    case 'ExternalConstantTerm':
      return { kind: 'constant', name: identifierOf(childOf(node)) };
    case 'TypeExpression':
      return {
        kind: 'type',
        operator: node.text === 'is' ? 'is' : 'as',
        of: simplified(childOf(node)),
        type: typeNameOf(childOf(node, 1)),
      };
    default:
      if (node.type.endsWith('Expression') && node.children?.length === 2 && node.text !== undefined) {
        return {
          kind: 'binary',
          operator: node.text,
          left: simplified(childOf(node)),
          right: simplified(childOf(node, 1)),
        };
      }
      throw new Error(`FHIRPath: unsupported syntax ${node.type}`);
  }
};

const typeNameOf = (node: SyntaxNode): string => (node.text ?? '').replace(/^(FHIR|System)\./, '').replaceAll('`', '');

/**
 * Parses a FHIRPath expression.
 *
 * @throws Error if it is malformed or uses syntax that the compiler has no use for, such as date literals.
 */
export const parse = (expression: string): Expression => simplified(fhirpath.parse(expression) as SyntaxNode);
