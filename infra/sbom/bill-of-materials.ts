import { createHash } from 'node:crypto';
import { dependenciesOf, type Locked, licenceOf, nameAt, productionPlaces } from './lockfile.ts';

interface Component {
  readonly type: 'library';
  readonly 'bom-ref': string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly scope: 'required' | 'excluded';
  readonly hashes: readonly { readonly alg: 'SHA-512'; readonly content: string }[];
  readonly licenses: readonly ({ readonly expression: string } | { readonly license: { readonly name: string } })[];
}

/** A bill of materials in CycloneDX 1.6. https://cyclonedx.org/docs/1.6/json/ */
export interface BillOfMaterials {
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: '1.6';
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: object;
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** What the functions are made of, or all else: what builds, deploys and tests them and what the local stack runs on. */
export type Part = 'production' | 'build';

/**
 * The bill of materials of the packages in package-lock.json. The same packages make the same bill, byte for byte: it has no time, and its serial number is made of its content.
 *
 * @param locked - `packages` of package-lock.json.
 */
export const billOfMaterials = (locked: Locked, part: Part): BillOfMaterials => {
  const production = productionPlaces(locked);
  const places = Object.keys(locked)
    .filter((place) => place !== '' && production.has(place) === (part === 'production'))
    .sort();
  const project = locked[''] ?? {};
  const root = purlOf(project.name ?? '', project.version ?? '');
  const refOf = (place: string): string => purlOf(nameAt(locked, place), locked[place]?.version ?? '');
  const content = {
    metadata: {
      component: {
        type: 'application',
        'bom-ref': root,
        name: project.name,
        version: project.version,
        licenses: [{ expression: project.license }],
      },
      properties: [{ name: 'concord:part', value: part }],
    },
    // One package at several places is one component.
    components: [...new Map(places.map((place) => [refOf(place), componentAt(locked, place, part)])).values()],
    dependencies: [
      { ref: root, dependsOn: unique(dependenciesOfProject(locked, places).map(refOf)) },
      ...[...Map.groupBy(places, refOf)].map(([ref, at]) => ({
        ref,
        dependsOn: unique(
          at
            .flatMap((place) => dependenciesOf(locked, place))
            .filter((place) => places.includes(place))
            .map(refOf),
        ),
      })),
    ],
  };
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return { bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber: uuidOf(digest), version: 1, ...content };
};

const unique = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

const dependenciesOfProject = (locked: Locked, places: readonly string[]): string[] => {
  const { dependencies, devDependencies, optionalDependencies } = locked[''] ?? {};
  const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  return names.map((name) => `node_modules/${name}`).filter((place) => places.includes(place));
};

/** https://github.com/package-url/purl-spec/blob/main/types-doc/npm-definition.md */
const purlOf = (name: string, version: string): string => `pkg:npm/${name.replace('@', '%40')}@${version}`;

const componentAt = (locked: Locked, place: string, part: Part): Component => {
  const { version = '', integrity } = locked[place] ?? {};
  const [, group, name = ''] = /^(?:(@[^/]+)\/)?(.+)$/.exec(nameAt(locked, place)) ?? [];
  const purl = purlOf(nameAt(locked, place), version);
  const licence = licenceOf(locked, place);
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group === undefined ? {} : { group }),
    name,
    version,
    purl,
    scope: part === 'production' ? 'required' : 'excluded',
    hashes: integrity?.startsWith('sha512-')
      ? [{ alg: 'SHA-512', content: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex') }]
      : [],
    licenses:
      licence === undefined ? [] : [/^SEE /i.test(licence) ? { license: { name: licence } } : { expression: licence }],
  };
};

/** A name-based UUID of RFC 9562, version 8. */
const uuidOf = (digest: string): string => {
  const [a, b, c, d, e] = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    digest.slice(13, 16),
    digest.slice(17, 20),
    digest.slice(20, 32),
  ];
  return `urn:uuid:${a}-${b}-8${c}-8${d}-${e}`;
};

/** How many packages of a bill have which licence, the most frequent first. */
export const licencesIn = ({
  components,
}: BillOfMaterials): readonly (readonly [licence: string, packages: number])[] => {
  const named = components.map(({ licenses: [licence] }) =>
    licence === undefined ? 'none told' : 'expression' in licence ? licence.expression : licence.license.name,
  );
  return [...Map.groupBy(named, (licence) => licence)]
    .map(([licence, all]) => [licence, all.length] as const)
    .sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
};
