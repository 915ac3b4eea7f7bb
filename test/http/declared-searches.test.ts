import { beforeAll, describe, expect, it } from 'vitest';
import { smartConfiguration } from '../../shared/access/smart-configuration.ts';
import { capabilityStatement } from '../../shared/fhir/capability-statement.ts';
import { ownRoutes } from '../../shared/http/own-routes/index.ts';
import { systemRoutesOf } from '../../shared/http/system-routes.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';
import { type FhirServer, fhirServer } from '../support/fhir-server.ts';

const allTypes = [...recordTypes, ...otherRecordTypes];
const statement = capabilityStatement(
  {
    recordTypes: allTypes,
    ownRoutes,
    systemInteractions: systemRoutesOf(allTypes, ownRoutes).map(({ name }) => name),
    smart: smartConfiguration({}),
  },
  'https://concord.test/fhir',
);
const [rest] = statement.rest ?? [];
const resources = rest?.resource ?? [];

const values: Readonly<Record<string, string>> = {
  token: 'a',
  string: 'abc',
  date: '2026-03',
  number: '1',
  quantity: '5',
  uri: 'http://example.org/a',
  special: '1|1|10|km',
};

/** A value that a parameter may have. */
const valueOf = (type: string, code: string): string => {
  const parameter = allTypes.find(({ name }) => name === type)?.parameter(code);
  if (!parameter) throw new Error(`${type} has no ${code}`);
  const part = (kind: string, targets?: readonly string[]) =>
    kind === 'reference' ? `${targets?.[0] ?? 'Patient'}/a` : (values[kind] ?? '');
  return parameter.type === 'composite'
    ? (parameter.components ?? []).map((each) => part(each.type, each.targets)).join('$')
    : part(parameter.type, parameter.targets);
};

/** Who may search a type. */
const readerOf = (type: string) => ({ role: type === 'AuditEvent' ? 'privacy' : 'system' });

const strict = { prefer: 'handling=strict' };

/** Includes that one search may have. */
const mostIncludes = 50;

const inParts = <T>(items: readonly T[], size: number): T[][] =>
  items.length === 0 ? [] : [items.slice(0, size), ...inParts(items.slice(size), size)];

let server: FhirServer;
beforeAll(async () => {
  server = await fhirServer();
});

const expectServed = async (type: string, query: readonly (readonly [string, string])[]) => {
  const sent = new URLSearchParams(query as [string, string][]).toString();
  const { status, text } = await server.get(`${type}?${sent}`, { headers: strict, as: readerOf(type) });
  expect(status, `${type}?${sent}: ${text}`).toBe(200);
};

describe('capability statement', () => {
  it.each(resources.map(({ type }) => type as string))(
    'declares no search parameter of %s that is refused',
    async (type) => {
      const { searchParam = [] } = resources.find((each) => each.type === type) ?? {};

      await expectServed(
        type,
        searchParam.map(({ name }) => [name, valueOf(type, name)] as const),
      );
      expect(searchParam.length).toBeGreaterThan(4);
    },
  );

  it.each(resources.filter(({ searchInclude }) => searchInclude).map(({ type }) => type as string))(
    'declares nothing to be included with %s that is refused',
    async (type) => {
      const { searchInclude = [], searchRevInclude = [] } = resources.find((each) => each.type === type) ?? {};
      const includes = [
        ...searchInclude.map((value) => ['_include', value] as const),
        ...searchRevInclude.map((value) => ['_revinclude', value] as const),
      ];

      for (const part of inParts(includes, mostIncludes)) await expectServed(type, [['_id', 'a'], ...part]);
      expect(includes.length).toBeGreaterThan(1);
    },
  );

  it.each(['Patient', 'Organization', 'Account', 'AuditEvent'])(
    'declares nothing of every type that %s refuses',
    async (type) => {
      const everywhere: Readonly<Record<string, string>> = {
        _content: 'word',
        _text: 'word',
        _filter: '_id eq a',
        _list: 'a',
      };
      for (const { name, documentation = '' } of rest?.searchParam ?? []) {
        if (documentation.endsWith(`Not of ${type}`)) continue;
        const pair =
          name === '_has' ? (['_has:List:item:code', 'a'] as const) : ([name, everywhere[name] ?? ''] as const);
        await expectServed(type, [pair]);
      }
    },
  );
});
