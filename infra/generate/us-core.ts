import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SearchParameterDefinition, searchParameterDefinitions } from './fhirpath/definitions.ts';

/** What is kept of a release of US Core, so that generating needs no more than this project. https://hl7.org/fhir/us/core/STU6.1/ */
interface KeptSearchParameters {
  readonly guide: string;
  /** Of the guide's search parameters, in the order of their file names. */
  readonly sha256: string;
  /** Those that R4 does not have. */
  readonly own: readonly SearchParameterDefinition[];
  /** By type, the codes of those that are R4's own with constraints. */
  readonly constrained: Readonly<Record<string, readonly string[]>>;
}

const keptFile = join(import.meta.dirname, 'us-core-search-parameters.json');

const kept = (): KeptSearchParameters => JSON.parse(readFileSync(keptFile, 'utf8')) as KeptSearchParameters;

/**
 * Where the guide's expression selects a code, as text without its system: its coding is searched instead, so that
 * `race=urn:oid:2.16.840.1.113883.6.238|2106-3` finds what `race=2106-3` finds. `valueDateTime` is no name of FHIRPath.
 */
const adapted: Readonly<Record<string, readonly [ending: string, instead: string]>> = {
  race: ['.value.code', '.value.ofType(Coding)'],
  ethnicity: ['.value.code', '.value.ofType(Coding)'],
  'gender-identity': ['.value.coding.code', '.value.ofType(CodeableConcept)'],
  'asserted-date': ['.valueDateTime', '.value.ofType(dateTime)'],
};

/** The search parameters that US Core adds to R4. */
export const usCoreSearchParameters = (): readonly SearchParameterDefinition[] =>
  kept().own.map((definition) => {
    const [ending, instead] = adapted[definition.code] ?? ['', ''];
    const { expression = '' } = definition;
    if (!expression.endsWith(ending)) throw new Error(`${definition.url} does not select ${ending}`);
    return { ...definition, expression: `${expression.slice(0, expression.length - ending.length)}${instead}` };
  });

/** By type, the codes of all search parameters that US Core names. */
export const usCoreSearchCodes = (): Readonly<Record<string, readonly string[]>> => {
  const { own, constrained } = kept();
  const codes: Record<string, readonly string[]> = { ...constrained };
  for (const { base, code } of own) for (const type of base) codes[type] = [...(codes[type] ?? []), code];
  return codes;
};

interface GuideDefinition extends SearchParameterDefinition {
  readonly derivedFrom?: string;
}

/** Reads the search parameters of the guide from a folder with one JSON file each. */
const keep = (folder: string): KeptSearchParameters => {
  const names = readdirSync(folder).filter((name) => name.startsWith('SearchParameter-'));
  const texts = names.sort().map((name) => readFileSync(join(folder, name), 'utf8'));
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text);
  const known = new Set(
    searchParameterDefinitions().flatMap(({ base, code }) => base.map((type) => `${type}.${code}`)),
  );
  const ofR4 = (type: string, code: string): boolean => known.has(`${type}.${code}`) || known.has(`Resource.${code}`);
  const own: SearchParameterDefinition[] = [];
  const constrained: Record<string, string[]> = {};
  let guide = '';
  for (const text of texts) {
    const { resourceType, url, version, code, base, type, expression = '' } = JSON.parse(text) as GuideDefinition;
    guide = `US Core ${version}`;
    const [resource = ''] = base;
    if (ofR4(resource, code)) (constrained[resource] ??= []).push(code);
    else own.push({ resourceType, url, version, code, base, type, expression });
  }
  return { guide, sha256: hash.digest('hex'), own, constrained };
};

// `node infra/generate/us-core.ts <folder>` takes over another release
if (import.meta.main) writeFileSync(keptFile, `${JSON.stringify(keep(process.argv[2] ?? '.'), null, 2)}\n`);
