import { RecordError } from '../../errors.ts';
import { inQuery } from '../conditional-match.ts';

/** A refusal, told apart by the entry that it belongs to. One that is already stays as it is. */
export const inEntry = (error: unknown, index: number): unknown => {
  if (!(error instanceof RecordError) || error.details.every(({ message }) => /^Entry \d+: /.test(message)))
    return error;
  const at = `Bundle.entry[${index}]`;
  return new RecordError(error.kind, error.message, {
    reason: error.reason,
    headers: error.headers,
    details: error.details.map((detail) => ({
      ...detail,
      message: `Entry ${index}: ${parameterIn(detail.expression)}${detail.message}`,
      expression: expressionIn(at, detail.expression),
    })),
  });
};

/** Letters of a parameter's name that a refusal repeats in its text. */
const longestNameShown = 50;

/** A parameter stands in the URL of an entry, so only the text can name it. */
const parameterIn = (expression = ''): string =>
  isElementOrHeader(expression) || expression === inQuery ? '' : `${expression.slice(0, longestNameShown)}: `;

/** Elements and headers begin with a capital, but for the one that names the type, operations of a JSON Patch with a bracket; parameters do not. */
const isElementOrHeader = (expression: string): boolean =>
  /^(?:[A-Z[]|$)/.test(expression) || expression === 'resourceType';

/** Where in the bundle an element of an entry's resource stands, or what its request says in a header or a parameter. */
export const expressionIn = (at: string, expression: string | undefined): string => {
  if (expression === undefined) return at;
  if (expression.startsWith('Bundle.')) return expression;
  if (expression === 'If-Match') return `${at}.request.ifMatch`;
  if (expression === 'If-None-Exist') return `${at}.request.ifNoneExist`;
  if (!isElementOrHeader(expression)) return `${at}.request.url`;
  if (expression.startsWith('[')) return `${at}.resource${expression}`; // an operation of a JSON Patch
  const [, path] = /^[A-Z][A-Za-z]+((?:\.|$).*)$/.exec(expression) ?? [];
  return path === undefined ? `${at}.resource.${expression}` : `${at}.resource${path}`;
};
