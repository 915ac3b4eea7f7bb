import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { functionEntries } from '../../infra/concord-stacks.ts';
import { type BillOfMaterials, billOfMaterials, licencesIn } from '../../infra/sbom/bill-of-materials.ts';
import { type Locked, placeOfDependency, productionPlaces } from '../../infra/sbom/lockfile.ts';
import { deployedFunctions } from '../support/deployed-functions.ts';

const root = path.resolve(import.meta.dirname, '../..');
const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as { packages: Locked };
const { dependencies = {}, devDependencies = {} } = packages[''] ?? {};
const scratch = mkdtempSync(path.join(tmpdir(), 'concord-sbom-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const namesIn = ({ components }: BillOfMaterials) =>
  components.map(({ group, name }) => (group ? `${group}/${name}` : name));

/** A small lock file: `app` depends on `a`, which has a `b` of its own and uses the `c` of all; `tool` uses another `b` and `c`. */
const small: Locked = {
  '': {
    name: 'app',
    version: '1.0.0',
    license: 'Apache-2.0',
    dependencies: { a: '1' },
    devDependencies: { tool: '1' },
  },
  'node_modules/a': {
    version: '1.0.1',
    license: 'MIT',
    integrity: 'sha512-AAECAw==',
    dependencies: { b: '1', '@x/c': '1' },
  },
  'node_modules/a/node_modules/b': { version: '1.0.0', license: 'ISC', peerDependencies: { missing: '1' } },
  'node_modules/b': { version: '2.0.0', license: 'ISC' },
  'node_modules/@x/c': { version: '3.0.0', license: 'MIT' },
  'node_modules/tool': {
    version: '4.0.0',
    license: 'SEE LICENSE IN LICENSE.md',
    dependencies: { b: '2', '@x/c': '3' },
    optionalDependencies: { 'tool-linux': '4' },
  },
  'node_modules/tool-linux': { version: '4.0.0' },
};

describe('bill of materials', () => {
  it('parts what is deployed from what builds it, by what depends on what', () => {
    expect([...productionPlaces(small)].sort()).toEqual([
      'node_modules/@x/c',
      'node_modules/a',
      'node_modules/a/node_modules/b',
    ]);
    expect(placeOfDependency(small, 'node_modules/a', 'b')).toBe('node_modules/a/node_modules/b');
    expect(placeOfDependency(small, 'node_modules/tool', 'b')).toBe('node_modules/b');
    expect(namesIn(billOfMaterials(small, 'build'))).toEqual(['b', 'tool', 'tool-linux']);
  });

  it('says of each package its version, hash, licence and what it depends on', () => {
    const bill = billOfMaterials(small, 'production');

    expect(bill.components.find(({ name }) => name === 'a')).toEqual({
      type: 'library',
      'bom-ref': 'pkg:npm/a@1.0.1',
      name: 'a',
      version: '1.0.1',
      purl: 'pkg:npm/a@1.0.1',
      scope: 'required',
      hashes: [{ alg: 'SHA-512', content: '00010203' }],
      licenses: [{ expression: 'MIT' }],
    });
    expect(bill.components[0]).toMatchObject({ group: '@x', name: 'c', purl: 'pkg:npm/%40x/c@3.0.0' });
    expect(bill.dependencies).toEqual([
      { ref: 'pkg:npm/app@1.0.0', dependsOn: ['pkg:npm/a@1.0.1'] },
      { ref: 'pkg:npm/%40x/c@3.0.0', dependsOn: [] },
      { ref: 'pkg:npm/a@1.0.1', dependsOn: ['pkg:npm/%40x/c@3.0.0', 'pkg:npm/b@1.0.0'] },
      { ref: 'pkg:npm/b@1.0.0', dependsOn: [] },
    ]);
    expect(licencesIn(billOfMaterials(small, 'build'))).toEqual([
      ['SEE LICENSE IN LICENSE.md', 2],
      ['ISC', 1],
    ]);
  });

  it('has every package once, in one part, with a licence and a serial number of its own', () => {
    const [production, build] = [billOfMaterials(packages, 'production'), billOfMaterials(packages, 'build')];
    const refs = (bill: BillOfMaterials) => bill.components.map((component) => component['bom-ref']);

    expect(new Set(refs(production)).size).toBe(production.components.length);
    expect(namesIn(production)).toEqual(expect.arrayContaining(Object.keys(dependencies)));
    expect(namesIn(build)).toEqual(expect.arrayContaining(Object.keys(devDependencies)));
    for (const { licenses, version } of [...production.components, ...build.components])
      expect([licenses.length, version]).toEqual([1, expect.stringMatching(/^\d+\.\d+\.\d+/)]);
    expect(production.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(production.serialNumber).not.toBe(build.serialNumber);
    expect(billOfMaterials(packages, 'production')).toEqual(production);
  });

  it('has in what is deployed no licence that asks anything of who deploys it but its notice', () => {
    const free = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT-0'];

    expect(licencesIn(billOfMaterials(packages, 'production')).filter(([licence]) => !free.includes(licence))).toEqual(
      [],
    );
  });

  it('leaves out no package of which a function holds something', async () => {
    const { bundleOf } = await deployedFunctions();
    const places = productionPlaces(packages);
    const packageOf = (input: string) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0];

    const held = new Set(
      functionEntries.flatMap((entry) => bundleOf(entry).inputs.flatMap((input) => packageOf(input) ?? [])),
    );

    expect(held).toContain('node_modules/@smithy/core');
    expect([...held].filter((place) => !places.has(place))).toEqual([]);
  });

  it('is written by npm run sbom, which lists the licences', () => {
    const told = execFileSync(process.execPath, [path.join(root, 'infra/cli/sbom.ts'), '--output', scratch], {
      encoding: 'utf8',
    });

    const written = JSON.parse(readFileSync(path.join(scratch, 'production.cdx.json'), 'utf8')) as BillOfMaterials;
    expect(written).toEqual(JSON.parse(JSON.stringify(billOfMaterials(packages, 'production'))));
    expect(told).toMatch(/production\.cdx\.json: \d+ packages\n +\d+ {2}Apache-2\.0\n/);
    expect(readFileSync(path.join(scratch, 'build.cdx.json'), 'utf8')).toContain('"pkg:npm/aws-cdk-lib@');
  });
});
