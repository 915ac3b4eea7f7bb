import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordError } from '../../shared/errors.ts';
import { parseJson, spelledOut, stringifyJson } from '../../shared/fhir/json.ts';
import { readJsonPatch } from '../../shared/patch/json-patch.ts';
import { withoutEmpty } from '../../shared/patch/json-tree.ts';

const patched = (document: unknown, patch: unknown): unknown =>
  readJsonPatch(parseJson(JSON.stringify(patch)) as unknown[])(spelledOut(document));

/** The same with both as text, so that numbers are written as they come. */
const patchedText = (document: string, patch: string): string =>
  JSON.stringify(readJsonPatch(parseJson(patch) as unknown[])(spelledOut(parseJson(document))));

const refusalOf = (work: () => unknown): [kind: string, expression: string | undefined] => {
  try {
    work();
  } catch (error) {
    if (error instanceof RecordError) return [error.kind, error.details[0]?.expression];
    throw error;
  }
  throw new Error('It was not refused');
};

describe('a JSON Patch', () => {
  // The examples of https://www.rfc-editor.org/rfc/rfc6902#appendix-A, and their like for FHIR.
  it.each([
    ['adds a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
    [
      'adds an item',
      { foo: ['bar', 'baz'] },
      [{ op: 'add', path: '/foo/1', value: 'qux' }],
      { foo: ['bar', 'qux', 'baz'] },
    ],
    ['adds at the end', { foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc'] }], { foo: ['bar', ['abc']] }],
    [
      'adds at the index behind the last',
      { foo: ['bar'] },
      [{ op: 'add', path: '/foo/1', value: 'x' }],
      { foo: ['bar', 'x'] },
    ],
    ['replaces what it adds where it is', { foo: 1 }, [{ op: 'add', path: '/foo', value: 2 }], { foo: 2 }],
    ['adds null', { foo: 1 }, [{ op: 'add', path: '/foo', value: null }], { foo: null }],
    ['removes a member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    ['removes an item', { foo: ['a', 'b', 'c'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['a', 'c'] }],
    ['replaces a value', { baz: 'qux' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo' }],
    ['replaces an item', { foo: [1, 2, 3] }, [{ op: 'replace', path: '/foo/2', value: 4 }], { foo: [1, 2, 4] }],
    ['replaces the whole', { foo: 1 }, [{ op: 'replace', path: '', value: { bar: 2 } }], { bar: 2 }],
    [
      'moves a value',
      { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
      [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
      { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
    ],
    [
      'moves an item',
      { foo: ['all', 'grass', 'cows', 'eat'] },
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    [
      'copies a value',
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'add', path: '/c/d', value: 2 },
      ],
      { a: { b: 1 }, c: { b: 1, d: 2 } },
    ],
    [
      'tests a value',
      { baz: 'qux', foo: ['a', 2, 'c'] },
      [{ op: 'test', path: '/foo/1', value: 2 }],
      { baz: 'qux', foo: ['a', 2, 'c'] },
    ],
    [
      'tests objects whatever their order',
      { a: { b: 1, c: [2] } },
      [{ op: 'test', path: '/a', value: { c: [2], b: 1 } }],
      { a: { b: 1, c: [2] } },
    ],
    [
      'knows escapes',
      { '/': 9, '~1': 10 },
      [
        { op: 'test', path: '/~01', value: 10 },
        { op: 'remove', path: '/~1' },
      ],
      { '~1': 10 },
    ],
    [
      'ignores members that it does not know',
      { foo: 'bar' },
      [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }],
      { foo: 'bar', baz: 'qux' },
    ],
    ['does nothing without operations', { a: 1 }, [], { a: 1 }],
  ])('%s', (_, document, patch, expected) => {
    expect(patched(document, patch)).toEqual(expected);
  });

  it.each([
    ['no list', {}, 'invalid', '[0]'],
    ['no operation', [{ path: '/a' }], 'invalid', '[0].op'],
    ['an unknown one', [{ op: 'spread', path: '/a' }], 'invalid', '[0].op'],
    ['no path', [{ op: 'remove' }], 'invalid', '[0].path'],
    ['a path without a slash', [{ op: 'remove', path: 'a' }], 'invalid', '[0].path'],
    ['a broken escape', [{ op: 'remove', path: '/a~2' }], 'invalid', '[0].path'],
    ['a tilde at the end', [{ op: 'remove', path: '/a~' }], 'invalid', '[0].path'],
    [
      'no value',
      [
        { op: 'remove', path: '/a' },
        { op: 'add', path: '/a' },
      ],
      'invalid',
      '[1].value',
    ],
    ['no from', [{ op: 'move', path: '/a' }], 'invalid', '[0].from'],
    ['a prototype', [{ op: 'add', path: '/__proto__/polluted', value: 1 }], 'invalid', '[0].path'],
    ['what comes from a prototype', [{ op: 'copy', from: '/constructor', path: '/a' }], 'business-rule', '[0].from'],
    ['a path to nothing', [{ op: 'remove', path: '/b' }], 'business-rule', '[0].path'],
    ['a parent that is missing', [{ op: 'add', path: '/b/c', value: 1 }], 'business-rule', '[0].path'],
    ['a member of a text', [{ op: 'add', path: '/t/length', value: 1 }], 'business-rule', '[0].path'],
    ['an index behind the end', [{ op: 'add', path: '/a/3', value: 1 }], 'business-rule', '[0].path'],
    ['an index with a zero before it', [{ op: 'add', path: '/a/01', value: 1 }], 'business-rule', '[0].path'],
    ['a negative index', [{ op: 'remove', path: '/a/-1' }], 'business-rule', '[0].path'],
    ['the place behind the end to remove', [{ op: 'remove', path: '/a/-' }], 'business-rule', '[0].path'],
    ['the length of a list', [{ op: 'remove', path: '/a/length' }], 'business-rule', '[0].path'],
    ['a test that fails', [{ op: 'test', path: '/a', value: [1] }], 'business-rule', '[0].value'],
    ['a number to be like its text', [{ op: 'test', path: '/a/0', value: '1' }], 'business-rule', '[0].value'],
    ['a move into itself', [{ op: 'move', from: '/o', path: '/o/p' }], 'business-rule', '[0].path'],
    ['replacing what is missing', [{ op: 'replace', path: '/b', value: 1 }], 'business-rule', '[0].path'],
    [
      'too many operations',
      Array.from({ length: 1_001 }, () => ({ op: 'test', path: '/t', value: 'x' })),
      'invalid',
      '[]',
    ],
    [
      'too deep a nesting',
      [
        { op: 'add', path: '/o', value: {} },
        ...Array.from({ length: 65 }, (_, n) => ({ op: 'add', path: `/o${'/a'.repeat(n + 1)}`, value: {} })),
      ],
      'invalid',
      '[64].path',
    ],
  ])('refuses %s', (_, patch, kind, expression) => {
    const refused = refusalOf(() => patched({ a: [1, 2], t: 'text', o: {} }, Array.isArray(patch) ? patch : [[]]));

    expect(refused).toEqual([kind, expression]);
  });

  it('refuses copies that double, before they are large', () => {
    const copies = Array.from({ length: 40 }, (_, n) => ({ op: 'copy', from: '', path: `/c${n}` }));

    expect(refusalOf(() => patched({ a: 'text' }, copies))[0]).toBe('too-large');
  });

  it('leaves the record as it was where its prototype is aimed at', () => {
    expect(refusalOf(() => patched({}, JSON.parse('[{"op":"add","path":"/a/__proto__","value":{"x":1}}]')))[0]).toBe(
      'invalid',
    );
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  it('keeps the spelling of decimals, of the record and its own, wherever they go', () => {
    const result = patchedText(
      '{"a":1.50,"list":[2.0,3.10],"big":0.12345678901234567890}',
      `[{"op":"add","path":"/b","value":4.500},{"op":"move","from":"/list/1","path":"/list/0"},
        {"op":"copy","from":"/a","path":"/list/-"},{"op":"add","path":"/list/1","value":7e2}]`,
    );

    expect(result).toBe('{"a":1.50,"list":[3.10,7e2,2.0,1.50],"big":0.12345678901234567890,"b":4.500}');
  });

  it.each([
    ['1.50', '1.5', true],
    ['150', '1.5e2', true],
    ['0', '-0.0', true],
    ['0.10', '1e-1', true],
    ['100', '1E+2', true],
    ['1.5', '1.6', false],
    ['-1.5', '1.5', false],
    ['10', '1', false],
    // Doubles could not tell these apart.
    ['0.1234567890123456789', '0.1234567890123456788', false],
    ['12345678901234567890', '12345678901234567891', false],
  ])('compares numbers by value: %s with %s', (stored, tested, same) => {
    const test = () => patchedText(`{"a":${stored}}`, `[{"op":"test","path":"/a","value":${tested}}]`);

    if (same) expect(test()).toBe(`{"a":${stored}}`);
    else expect(refusalOf(test)).toEqual(['business-rule', '[0].value']);
  });
});

/** A second reading of RFC 6902: every step makes a new document, from lists of entries, and there is one error only. */
const naively = (document: unknown, operations: readonly NaiveOperation[]): unknown => {
  type Entries = [string, unknown][];
  const entries = (value: unknown): Entries => Object.entries(value as object);
  const get = (value: unknown, path: readonly string[]): unknown => {
    const [head, ...rest] = path;
    if (head === undefined) return value;
    const found =
      typeof value === 'object' && value !== null ? entries(value).find(([key]) => key === head) : undefined;
    if (!found) throw new Error('does not fit');
    return get(found[1], rest);
  };
  const rebuilt = (like: unknown, members: Entries) =>
    Array.isArray(like) ? members.map(([, member]) => member) : Object.fromEntries(members);
  const edit = (
    value: unknown,
    path: readonly string[],
    change: (holder: unknown, key: string) => unknown,
  ): unknown => {
    const [head = '', ...rest] = path;
    if (typeof value !== 'object' || value === null) throw new Error('does not fit');
    if (rest.length === 0) return change(value, head);
    get(value, [head]);
    return rebuilt(
      value,
      entries(value).map(([key, member]): [string, unknown] => [
        key,
        key === head ? edit(member, rest, change) : member,
      ]),
    );
  };
  const remove = (value: unknown, path: readonly string[]) => {
    get(value, path);
    return edit(value, path, (holder, key) =>
      rebuilt(
        holder,
        entries(holder).filter(([each]) => each !== key),
      ),
    );
  };
  const add = (value: unknown, path: readonly string[], added: unknown) =>
    edit(value, path, (holder, key) => {
      if (!Array.isArray(holder)) return { ...(holder as object), [key]: added };
      const index = key === '-' ? holder.length : Number(key);
      if (!/^(-|0|[1-9]\d*)$/.test(key) || index > holder.length) throw new Error('does not fit');
      return [...holder.slice(0, index), added, ...holder.slice(index)];
    });
  return operations.reduce<unknown>((value, operation) => {
    const path = operation.path.slice(1).split('/');
    const from = (operation.from ?? '').slice(1).split('/');
    if (operation.op === 'add') return add(value, path, operation.value);
    if (operation.op === 'remove') return remove(value, path);
    if (operation.op === 'replace') {
      get(value, path);
      return edit(value, path, (holder, key) =>
        rebuilt(
          holder,
          entries(holder).map(([each, member]): [string, unknown] => [each, each === key ? operation.value : member]),
        ),
      );
    }
    const source = get(value, from);
    if (operation.op === 'copy') return add(value, path, source);
    if (`${operation.path}/`.startsWith(`${operation.from}/`) && operation.path !== operation.from)
      throw new Error('does not fit');
    return add(remove(value, from), path, source);
  }, document);
};

interface NaiveOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy';
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

const key = fc.constantFrom('a', 'b', 'c');
const token = fc.oneof(key, fc.constantFrom('0', '1', '2', '-'));
const pointer = fc.array(token, { minLength: 1, maxLength: 3 }).map((tokens) => `/${tokens.join('/')}`);
const { value: json } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer({ min: 0, max: 9 }),
    fc.constantFrom('x', true, null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));
const operation = fc.record({
  op: fc.constantFrom('add' as const, 'remove' as const, 'replace' as const, 'move' as const, 'copy' as const),
  path: pointer,
  from: pointer,
  value: json,
});

describe('any JSON Patch', () => {
  it('does what a second reading of its specification does, or both refuse it', () => {
    fc.assert(
      fc.property(
        fc.dictionary(key, json, { minKeys: 1, noNullPrototype: true }),
        fc.array(operation, { maxLength: 4 }),
        (document, patch) => {
          const outcomeOf = (work: () => unknown): unknown => {
            try {
              return { result: work() };
            } catch (error) {
              if (error instanceof RecordError || (error as Error).message === 'does not fit') return 'refused';
              throw error;
            }
          };
          expect(outcomeOf(() => patched(document, patch))).toEqual(outcomeOf(() => naively(document, patch)));
        },
      ),
      { numRuns: 1_500 },
    );
  });

  it('leaves alone what it is applied to, and itself, so that it can be applied again', () => {
    const document = parseJson('{"a":{"b":1.50}}');
    const apply = readJsonPatch([
      { op: 'add', path: '/c', value: { d: [] } },
      { op: 'add', path: '/c/d/-', value: 1 },
    ]);

    const results = [apply(spelledOut(document)), apply(spelledOut(document))];

    expect(results).toEqual([
      { a: { b: expect.anything() }, c: { d: [1] } },
      { a: { b: expect.anything() }, c: { d: [1] } },
    ]);
    expect(stringifyJson(document)).toBe('{"a":{"b":1.50}}');
  });
});

describe('what a patch has emptied', () => {
  it.each([
    ['a list', { name: [] }, undefined],
    ['a list of emptied objects', { id: '1', name: [{ given: [] }] }, { id: '1' }],
    ['one of several', { name: [{ given: [] }, { family: 'A' }] }, { name: [{ family: 'A' }] }],
    ['a list of nothing but null', { a: 1, given: [null, null] }, { a: 1 }],
    [
      'and keeps null beside others',
      { given: ['A', null], _given: [null, { id: '1' }] },
      { given: ['A', null], _given: [null, { id: '1' }] },
    ],
    ['and keeps false and zero', { a: false, b: 0, c: '' }, { a: false, b: 0, c: '' }],
  ])('goes: %s', (_, value, left) => {
    expect(withoutEmpty(value)).toEqual(left);
  });
});
