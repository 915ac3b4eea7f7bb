import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** An ElementDefinition, reduced to what is enforced. https://hl7.org/fhir/R4/elementdefinition.html */
export interface KeptElement {
  readonly id: string;
  readonly min?: number;
  readonly max?: string;
  /** Datatypes, where they say more than R4 does; of a reference the profiles that it may name, of an extension its own. */
  readonly types?: readonly {
    readonly code: string;
    readonly targets?: readonly string[];
    readonly profile?: string;
  }[];
  readonly fixed?: unknown;
  readonly pattern?: unknown;
  readonly binding?: { readonly strength: string; readonly valueSet?: string; readonly maxValueSet?: string };
  /** Paths of the discriminators, where the element is sliced. */
  readonly discriminators?: readonly string[];
  readonly rules?: readonly KeptRule[];
}

export interface KeptRule {
  readonly key: string;
  readonly severity: 'error' | 'warning';
  readonly human: string;
  readonly expression: string;
}

/** A StructureDefinition, reduced to its differential. */
export interface KeptProfile {
  readonly url: string;
  readonly type: string;
  readonly base: string;
  readonly elements: readonly KeptElement[];
}

interface Selection {
  readonly system?: string;
  readonly concept?: readonly { readonly code: string }[];
  readonly filter?: readonly { readonly property: string; readonly op: string; readonly value: string }[];
  readonly valueSet?: readonly string[];
}

/** A ValueSet, reduced to what it selects. */
export interface KeptValueSet {
  readonly url: string;
  readonly compose: { readonly include: readonly Selection[]; readonly exclude?: readonly Selection[] };
}

/** What is kept of a release of US Core, so that generating needs no more than this project. https://hl7.org/fhir/us/core/STU6.1/ */
export interface KeptGuide {
  readonly guide: string;
  readonly version: string;
  /** Of the guide's structure definitions, value sets and code systems, in the order of their file names. */
  readonly sha256: string;
  readonly profiles: readonly KeptProfile[];
  readonly valueSets: readonly KeptValueSet[];
  readonly codeSystems: readonly { readonly url: string; readonly codes: readonly string[] }[];
}

const keptFile = join(import.meta.dirname, 'us-core-profiles.json');

/** What was taken over of the guide. */
export const keptGuide = (): KeptGuide => JSON.parse(readFileSync(keptFile, 'utf8')) as KeptGuide;

/** What the definitions are read for, of elements as they are published. */
export interface PublishedElement {
  readonly id: string;
  readonly min?: number;
  readonly max?: string;
  readonly type?: readonly { code: string; profile?: readonly string[]; targetProfile?: readonly string[] }[];
  readonly binding?: {
    readonly strength: string;
    readonly valueSet?: string;
    readonly extension?: readonly { readonly url: string; readonly valueCanonical?: string }[];
  };
  readonly slicing?: {
    readonly rules: string;
    readonly discriminator: readonly { readonly type: string; readonly path: string }[];
  };
  readonly constraint?: readonly KeptRule[];
  readonly [member: string]: unknown;
}

export interface PublishedProfile {
  readonly resourceType: 'StructureDefinition';
  readonly url: string;
  readonly version: string;
  readonly type: string;
  readonly baseDefinition: string;
  readonly differential: { readonly element: readonly PublishedElement[] };
}

const maxValueSet = 'http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet';
const enforcedDiscriminators = new Set(['value', 'pattern']);

/** A member such as `fixedUri`, whose name ends with a type. */
const memberOf = (element: PublishedElement, stem: 'fixed' | 'pattern'): unknown =>
  Object.entries(element).find(([name]) => name.startsWith(stem) && /^[A-Z]/.test(name.slice(stem.length)))?.[1];

const discriminatorsOf = ({ id, slicing }: PublishedElement): string[] | undefined => {
  if (slicing === undefined) return undefined;
  if (slicing.rules !== 'open') throw new Error(`${id} is not sliced openly`);
  return slicing.discriminator.map(({ type, path }) => {
    if (!enforcedDiscriminators.has(type)) throw new Error(`${id} is sliced by ${type}`);
    return path;
  });
};

/** Whether the types of an element narrow a choice, name a profile or say what may be referred to. */
const saysMore = ({ id, type = [] }: PublishedElement): boolean =>
  id.endsWith('[x]') || type.some(({ profile, targetProfile }) => profile !== undefined || targetProfile !== undefined);

const keptElement = (element: PublishedElement): KeptElement => {
  const { id, min, max, type, binding, constraint } = element;
  const [fixed, pattern] = [memberOf(element, 'fixed'), memberOf(element, 'pattern')];
  const largest = binding?.extension?.find(({ url }) => url === maxValueSet)?.valueCanonical;
  const discriminators = discriminatorsOf(element);
  return {
    id,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(type === undefined || !saysMore(element)
      ? {}
      : {
          types: type.map(({ code, targetProfile, profile }) => ({
            code,
            ...(targetProfile === undefined ? {} : { targets: targetProfile }),
            ...(profile?.[0] === undefined ? {} : { profile: profile[0] }),
          })),
        }),
    ...(fixed === undefined ? {} : { fixed }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(binding === undefined
      ? {}
      : {
          binding: {
            strength: binding.strength,
            ...(binding.valueSet === undefined ? {} : { valueSet: binding.valueSet }),
            ...(largest === undefined ? {} : { maxValueSet: largest }),
          },
        }),
    ...(discriminators === undefined ? {} : { discriminators }),
    ...(constraint === undefined
      ? {}
      : {
          rules: constraint.map(({ key, severity, human, expression }) => ({ key, severity, human, expression })),
        }),
  };
};

/** Reduces a profile to what is enforced. Elements that are only called mandatory to support are left out. */
export const keptProfile = ({ url, type, baseDefinition, differential }: PublishedProfile): KeptProfile => ({
  url,
  type,
  base: baseDefinition,
  elements: differential.element.map(keptElement).filter((element) => Object.keys(element).length > 1),
});

type Published =
  | PublishedProfile
  | (KeptValueSet & { readonly resourceType: 'ValueSet' })
  | {
      readonly resourceType: 'CodeSystem';
      readonly url: string;
      readonly concept: readonly { readonly code: string }[];
    };

/** Reads the profiles of the guide from a folder with one JSON file each. */
const keep = (folder: string): KeptGuide => {
  const names = readdirSync(folder).filter((name) => /^(?:StructureDefinition|ValueSet|CodeSystem)-/.test(name));
  const texts = names.sort().map((name) => readFileSync(join(folder, name), 'utf8'));
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text);
  const published = texts.map((text) => JSON.parse(text) as Published);
  const structures = published.filter((each) => each.resourceType === 'StructureDefinition');
  const [version] = [...new Set(structures.map((each) => each.version))];
  if (version === undefined) throw new Error(`${folder} holds no guide`);
  return {
    guide: `US Core ${version}`,
    version,
    sha256: hash.digest('hex'),
    profiles: structures.map(keptProfile),
    valueSets: published.flatMap((each) =>
      each.resourceType === 'ValueSet' ? [{ url: each.url, compose: withoutDisplays(each.compose) }] : [],
    ),
    codeSystems: published.flatMap((each) =>
      each.resourceType === 'CodeSystem' ? [{ url: each.url, codes: each.concept.map(({ code }) => code) }] : [],
    ),
  };
};

const withoutDisplays = ({ include, exclude }: KeptValueSet['compose']): KeptValueSet['compose'] => {
  const bare = (selections: readonly Selection[]): Selection[] =>
    selections.map(({ system, concept, filter, valueSet }) => ({
      ...(system === undefined ? {} : { system }),
      ...(concept === undefined ? {} : { concept: concept.map(({ code }) => ({ code })) }),
      ...(filter === undefined ? {} : { filter }),
      ...(valueSet === undefined ? {} : { valueSet }),
    }));
  return { include: bare(include), ...(exclude === undefined ? {} : { exclude: bare(exclude) }) };
};

// `node infra/generate/us-core-profiles.ts <folder>` takes over another release
if (import.meta.main) writeFileSync(keptFile, `${JSON.stringify(keep(process.argv[2] ?? '.'), null, 2)}\n`);
