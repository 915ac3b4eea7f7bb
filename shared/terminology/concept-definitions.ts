import { type CodeSystem, type Concept, foldCode } from './code-system.ts';
import { ignoringCase } from './ignoring-case.ts';

const read = new WeakMap<CodeSystem, ReadonlyMap<string, fhir4.CodeSystemConcept>>();

/** What a code system says of a code beside what searches need: its definition, its designations, the types of its properties. */
export const definitionOf = (codeSystem: CodeSystem, { code }: Concept): fhir4.CodeSystemConcept => {
  const known = read.get(codeSystem) ?? byCode(codeSystem);
  read.set(codeSystem, known);
  return known.get(code) ?? { code };
};

const byCode = ({ definition }: CodeSystem): ReadonlyMap<string, fhir4.CodeSystemConcept> => {
  const all = [...(definition.concept ?? [])];
  for (const { concept = [] } of all) for (const each of concept) all.push(each);
  return new Map(all.map((each) => [each.code, each]));
};

/** Whether a code is there to group others and is not meant to be recorded. https://hl7.org/fhir/R4/codesystem-concept-properties.html */
export const isAbstract = ({ properties }: Concept): boolean =>
  ['notSelectable', 'abstract'].some((name) => properties.get(name)?.includes('true'));

/** A code as it is compared within its system. */
export const nameOfCode = (system: string, codeSystem: CodeSystem | undefined, code: string): string => {
  const found = codeSystem?.find(code);
  if (found) return found.code;
  return (codeSystem ? codeSystem.caseSensitive : !ignoringCase.has(system)) ? code : foldCode(code);
};
