import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { commonRecords, commonTerms } from './dictionary-vocabulary.ts';
import type { ElementDefinition, StructureDefinition } from './structure-definitions.ts';
import { structureDefinitions } from './structure-definitions.ts';
import { expand } from './value-sets.ts';

// Makes a dictionary for compressed bodies, once: a released one is never made again, since rows need it for ever. It is made of FHIR's
// own vocabulary and of nothing else, so that it holds no patient's data whatever the records of a deployment are.

/** What comes after an element's name in JSON, by datatype. Values stay empty. */
const shapes: Readonly<Record<string, string>> = {
  CodeableConcept: '{"coding":[',
  Reference: '{"reference":"',
  Period: '{"start":"',
  Quantity: '{"value":',
  Identifier: '{"system":"',
  Annotation: '{"text":"',
  boolean: '',
  decimal: '',
  integer: '',
  positiveInt: '',
  unsignedInt: '',
};

const shapeOf = (type: string): string => shapes[type] ?? (/^[A-Z]/.test(type) ? '{' : '"');

const inherited = new Set([
  'id',
  'meta',
  'implicitRules',
  'language',
  'text',
  'contained',
  'extension',
  'modifierExtension',
]);

/** One element as it stands in JSON, with the codes that it may have. */
const elementText = (name: string, { max, type = [], binding }: ElementDefinition): string => {
  const [first] = type;
  const valueSet = first?.code === 'code' && binding?.strength === 'required' ? binding.valueSet : undefined;
  const codes = valueSet ? [...(expand(valueSet)?.values() ?? [])].flat() : [];
  const isShort = codes.length > 0 && codes.length <= 10;
  const values = isShort ? codes.map((code) => `"${code}"`).join(',') : shapeOf(first?.code ?? 'BackboneElement');
  return `"${name}":${max === '*' ? '[' : ''}${values}`;
};

/** A type's elements at its top, but for choices, in the order in which its definition gives them. */
const typeText = ({ name, snapshot }: StructureDefinition): string =>
  [
    `{"resourceType":"${name}"`,
    ...snapshot.element.flatMap((element) => {
      const [, below = '', ...deeper] = element.path.split('.');
      const stands = below !== '' && deeper.length === 0 && !inherited.has(below) && !below.endsWith('[x]');
      return stands ? [elementText(below, element)] : [];
    }),
  ].join(',');

/**
 * Leaves out each run of characters that stands again further on: deflate finds it there, at less distance.
 *
 * @param shortest - runs below this many characters stay, since it costs deflate a match of its own to leave out.
 */
const withoutRepetition = (text: string, shortest: number): string => {
  let kept = '';
  for (let at = 0; at < text.length; ) {
    let length = shortest;
    if (at + length <= text.length && text.includes(text.slice(at, at + length), at + 1)) {
      while (at + length < text.length && text.includes(text.slice(at, at + length + 1), at + 1)) length += 1;
      at += length;
    } else {
      kept += text.charAt(at);
      at += 1;
    }
  }
  return kept;
};

/** Types that patients have many records of, and that have no common record. */
const otherTypes = new Set([
  'AppointmentResponse',
  'Communication',
  'Composition',
  'Consent',
  'Device',
  'EpisodeOfCare',
  'FamilyMemberHistory',
  'Flag',
  'List',
  'Medication',
  'MedicationAdministration',
  'MedicationDispense',
  'MedicationStatement',
  'QuestionnaireResponse',
  'RelatedPerson',
  'Schedule',
  'Slot',
  'Specimen',
]);

/**
 * The text of a dictionary: elements of the types that have no common record, then common terms, then common records without their
 * values. The most useful comes last, where deflate reaches it with the shortest distance.
 */
export const dictionaryText = (): string => {
  const types = structureDefinitions().filter(({ name, kind }) => kind === 'resource' && otherTypes.has(name));
  const records = commonRecords.map((record) => JSON.stringify(record).replaceAll('null', '')).join('');
  // 40: the terms and records shrink to less than half, which halves what the dictionary costs in CPU, for 4 % more bytes stored
  return withoutRepetition(`${types.map(typeText).join('')}${commonTerms}${records}`, 40);
};

const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** Lines of at most 120 characters, so that people can read what it holds. */
const inLines = (text: string): string =>
  (text.match(/[\s\S]{1,112}/g) ?? []).map((line) => `  ${literal(line)},`).join('\n');

const fileText = (
  number: number,
  text: string,
): string => `// Made once by \`node infra/generate/dictionary.ts ${number}\`. Never edit it: stored bodies can be read with these very bytes alone.
//
// It was made of FHIR R4's structure definitions and value sets, and of the terms and empty records in
// infra/generate/dictionary-vocabulary.ts: names of elements, addresses of code systems, codes and what they stand for. The script
// reads no records. Synthetic charts served to measure which terms help; nothing that is a person's was taken from them, so that it
// has no names of people, addresses, dates, identifiers or narrative.
//
// LOINC (http://loinc.org) is copyright Regenstrief Institute, Inc. and the LOINC Committee, and available at no cost under the
// licence at http://loinc.org/license.

/** ${text.length} bytes of ASCII, SHA-256 ${createHash('sha256').update(text).digest('hex')}. */
export const dictionary${number} = [
${inLines(text)}
].join('');
`;

if (import.meta.main) {
  const number = Number(process.argv[2]);
  const file = join(resolve(import.meta.dirname, '../..'), `shared/store/dictionaries/dictionary-${number}.ts`);
  if (!Number.isInteger(number) || number < 1) throw new Error('Give the number of the new dictionary');
  if (existsSync(file)) throw new Error(`Dictionary ${number} exists, and is never made again`);
  writeFileSync(file, fileText(number, dictionaryText()));
}
