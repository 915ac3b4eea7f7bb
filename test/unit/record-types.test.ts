import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileNameOf } from '../../infra/routes.ts';
import { invariants } from '../../shared/fhir/generated/invariants/all.ts';
import { resourceTypes } from '../../shared/fhir/generated/resource-types.ts';
import { ownRoutes } from '../../shared/http/own-routes/index.ts';
import { ofEveryType } from '../../shared/http/routes.ts';
import { selectsReferences } from '../../shared/interactions/search/plan.ts';
import { typesOfPatients } from '../../shared/record-types/homes.ts';
import { recordTypes } from '../../shared/record-types/index.ts';
import { otherRecordTypes } from '../../shared/record-types/other.ts';
import { searchParameters } from '../support/search-parameters.ts';

const root = path.resolve(import.meta.dirname, '../..');
const definitions = path.join(root, 'shared/record-types');
const functions = path.join(root, 'functions/records');

/** Files of the folder that define one type. */
const definingFiles = readdirSync(definitions).filter((file) =>
  /^export const \w+ = defineRecordType\(/m.test(readFileSync(path.join(definitions, file), 'utf8')),
);
const exportOf = (name: string) => name.charAt(0).toLowerCase() + name.slice(1);

describe('the list of record types', () => {
  it('has every type that a file of the folder defines, under the file’s name', () => {
    expect(recordTypes.map(({ name }) => `${fileNameOf(name)}.ts`).sort()).toEqual(definingFiles.sort());
  });

  it('has each R4 type once, here or among the others; messages are no records', () => {
    const served = [...recordTypes, ...otherRecordTypes].map(({ name }) => name);

    expect(served.sort()).toEqual(
      resourceTypes.filter((name) => !['Bundle', 'OperationOutcome', 'Parameters'].includes(name)).sort(),
    );
  });

  it('is served by one function a type, of two imports and one call', () => {
    expect(readdirSync(functions).sort()).toEqual(definingFiles.sort());
  });

  it('knows which types may belong to a patient as the search parameters do', () => {
    const withPatient = Object.entries(searchParameters)
      .filter(([type, parameters]) => parameters.some(({ code }) => code === 'patient') || type === 'AdverseEvent')
      .map(([type]) => type);

    expect([...typesOfPatients].sort()).toEqual(withPatient.sort());
  });

  it('knows which parameters select references to what may belong to a patient, and nothing else, as the tables say', () => {
    const served = Object.entries(searchParameters).filter(([type]) => type !== 'Bundle'); // which is no record
    const tables = served.map(([type, parameters]) => {
      const file = path.join(root, `shared/fhir/generated/search-parameters/${type}.ts`);
      return { type, parameters, lines: readFileSync(file, 'utf8').split('\n') };
    });
    const pathOf = (lines: readonly string[], code: string) => lines.find((line) => line.startsWith(`${code} r`)) ?? '';
    const selecting = tables.flatMap(({ type, parameters, lines }) =>
      parameters
        .filter((parameter) => selectsReferences(type, parameter))
        .map(({ code }) => ({ name: `${type}.${code}`, path: pathOf(lines, code) })),
    );

    expect(selecting.length).toBeGreaterThan(300);
    expect(selecting.filter(({ path: element }) => element === '' || element.includes(':'))).toEqual([]);
  });
});

it('routes of types without a function of their own are served by the one for all of these', () => {
  const served = new Set(recordTypes.map(({ name }) => name));
  const source = readFileSync(path.join(functions, '../other-records.ts'), 'utf8');

  const brought = [...source.matchAll(/\.\.\.(\w+)Routes/g)].map(([, name]) => name);
  const others = Object.keys(ownRoutes).filter((name) => !served.has(name) && name !== ofEveryType);
  expect(brought.sort()).toEqual(others.map(exportOf).sort());
  expect(others).toContain('ValueSet');
});

describe.each(recordTypes)('$name', (recordType) => {
  const { name, registry, date } = recordType;
  const constant = exportOf(name);

  it('is served by the function of its name', () => {
    const source = readFileSync(path.join(functions, `${fileNameOf(name)}.ts`), 'utf8');

    const file = fileNameOf(name);
    const routes = name in ownRoutes ? [`${constant}Routes`] : [];

    expect(source.split('\n').filter((line) => line !== '')).toEqual([
      ...routes.map((own) => `import { ${own} } from '../../shared/http/own-routes/${file}.ts';`),
      `import { serveRecords } from '../../shared/http/serve-records.ts';`,
      `import { ${constant} } from '../../shared/record-types/${file}.ts';`,
      `export const handler = serveRecords(${[`[${constant}]`, ...routes].join(', ')});`,
    ]);
  });

  it('has the schema, invariants and search parameters of its own type', () => {
    expect(recordType.schema.typeName).toBe(name);
    expect(recordType.invariants).toBe(invariants[name]);
    expect(recordType.searchParameters.map(({ url }) => url)).toEqual(searchParameters[name]?.map(({ url }) => url));
  });

  it('is indexed by parameters that it has', () => {
    const codes = registry.flatMap(({ parameter, serves }) => [parameter, ...serves]);

    expect(codes.filter((code) => recordType.parameter(code) === undefined)).toEqual([]);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('is ordered by a date, if it has one', () => {
    expect(date === undefined ? 'date' : recordType.parameter(date)?.type).toBe('date');
  });
});
