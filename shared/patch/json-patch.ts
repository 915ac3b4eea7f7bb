import { RecordError } from '../errors.ts';
import { spelledOut } from '../fhir/json.ts';
import { isDeeperThan, maxDepth } from '../fhir/validate.ts';
import { isObject, type JsonObject, sameJson } from './json-tree.ts';
import { malformedPatch, patchDoesNotFit, requireFewOperations } from './refusal.ts';

interface Operation {
  readonly op: string;
  readonly path: readonly string[];
  readonly from: readonly string[];
  readonly value: unknown;
}

const operations = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

/** Letters of a pointer: 64 levels of names are no more. */
const longestPointer = 4_000;

/** JSON that a patch may copy, in letters: copying what was copied doubles it each time. */
const mostCopied = 4_000_000;

/**
 * Reads a JSON Patch. https://www.rfc-editor.org/rfc/rfc6902
 *
 * @returns applies it to a tree as `spelledOut` makes it, which it changes, and returns what has become of it. It throws RecordError
 *   `business-rule` naming the operation that does not fit, `too-large` where too much is copied.
 * @throws RecordError `invalid` naming the operation and its member, as in `[2].path`.
 */
export const readJsonPatch = (patch: readonly unknown[]): ((tree: unknown) => unknown) => {
  requireFewOperations(patch, '[]');
  const read = patch.map(readOperation);
  return (tree) => {
    const root: JsonObject = { document: tree };
    let copied = 0;
    const afford = (value: unknown) => {
      copied += JSON.stringify(value)?.length ?? 0;
      if (copied > mostCopied) throw new RecordError('too-large', 'The patch copies too much');
    };
    for (const [index, operation] of read.entries()) apply(root, operation, `[${index}]`, afford);
    return root['document'];
  };
};

const readOperation = (given: unknown, index: number): Operation => {
  const at = `[${index}]`;
  const operation = spelledOut(given);
  if (!isObject(operation)) throw malformedPatch(at, 'An operation is an object');
  const { op, value } = operation;
  if (typeof op !== 'string' || !operations.has(op))
    throw malformedPatch(`${at}.op`, `An operation is one of ${[...operations].join(', ')}`);
  const needsValue = op === 'add' || op === 'replace' || op === 'test';
  if (needsValue && value === undefined) throw malformedPatch(`${at}.value`, `${op} needs a value`);
  const pointer = (member: string) => readPointer(operation[member], `${at}.${member}`);
  return {
    op,
    path: pointer('path'),
    from: op === 'move' || op === 'copy' ? pointer('from') : [],
    value,
  };
};

/** https://www.rfc-editor.org/rfc/rfc6901 */
const readPointer = (text: unknown, at: string): string[] => {
  if (typeof text !== 'string' || text.length > longestPointer || !/^(?:\/(?:[^~/]|~[01])*)*$/.test(text))
    throw malformedPatch(at, 'A JSON Pointer is written as /name/0/family, with ~1 for a slash and ~0 for a tilde');
  const [, ...tokens] = text.split('/').map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  // As an own member it would be no element of FHIR, and as an inherited one it is not data.
  if (tokens.includes('__proto__')) throw malformedPatch(at, 'No element has this name');
  if (tokens.length > maxDepth) throw malformedPatch(at, `A resource is not nested deeper than ${maxDepth} levels`);
  return ['document', ...tokens];
};

const apply = (root: JsonObject, operation: Operation, at: string, afford: (value: unknown) => void): void => {
  const { op, path, from, value } = operation;
  const read = (tokens: readonly string[], member: string): unknown => {
    let here: unknown = root;
    for (const token of tokens) {
      const inside = Array.isArray(here)
        ? isIndex(token) && Number(token) < here.length
        : isObject(here) && Object.hasOwn(here, token);
      if (!inside) throw patchDoesNotFit(`${at}.${member}`, 'There is nothing at this path');
      here = (here as JsonObject)[token];
    }
    return here;
  };
  const holderOf = (tokens: readonly string[], member: string): [holder: unknown, token: string] => [
    read(tokens.slice(0, -1), member),
    tokens.at(-1) ?? '',
  ];
  const remove = (tokens: readonly string[], member: string): unknown => {
    const removed = read(tokens, member);
    const [holder, token] = holderOf(tokens, member);
    if (Array.isArray(holder)) holder.splice(Number(token), 1);
    else delete (holder as JsonObject)[token];
    return removed;
  };
  const put = (added: unknown, replacing = 0): void => {
    if (isDeeperThan(maxDepth - path.length, added))
      throw patchDoesNotFit(`${at}.path`, `A resource is not nested deeper than ${maxDepth} levels`);
    const [holder, token] = holderOf(path, 'path');
    if (Array.isArray(holder)) {
      const index = token === '-' ? holder.length : isIndex(token) ? Number(token) : Number.NaN;
      if (!(index <= holder.length)) throw patchDoesNotFit(`${at}.path`, 'There is no such place in the list');
      holder.splice(index, replacing, added);
    } else if (isObject(holder)) holder[token] = added;
    else throw patchDoesNotFit(`${at}.path`, 'There is nothing at this path');
  };
  if (op === 'test') {
    if (!sameJson(read(path, 'path'), value)) throw patchDoesNotFit(`${at}.value`, 'The value is another one');
  } else if (op === 'remove') remove(path, 'path');
  else if (op === 'replace') {
    read(path, 'path');
    put(spelledOut(value), 1);
  } else if (op === 'add') put(spelledOut(value));
  else if (op === 'copy') {
    const source = read(from, 'from');
    afford(source);
    put(spelledOut(source));
  } else {
    const within = from.length < path.length && from.every((token, index) => token === path[index]);
    if (within) throw patchDoesNotFit(`${at}.path`, 'Nothing can be moved into itself');
    put(remove(from, 'from'));
  }
};

const isIndex = (token: string): boolean => /^(?:0|[1-9]\d{0,8})$/.test(token);
