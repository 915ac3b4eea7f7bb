import type { Resource } from '../fhir/resource.ts';
import { actCode, part2Label } from './labels.ts';
import type { Policy } from './policy.ts';
import { namesProgramme } from './programmes.ts';
import { sensitiveCodes, sensitiveSystems } from './sensitive-codes.ts';

/** Codes of a deployment's own, by label of v3-ActCode: `system|code`, where `*` at the end stands for whatever begins so. */
export type FurtherCodes = Readonly<Record<string, readonly string[]>>;

/** Of a Coding or a CodeableConcept, or of several. */
export const codesIn = (element: unknown): string[] =>
  [element].flat().flatMap((each) => {
    if (typeof each !== 'object' || each === null) return [];
    const { system, code, coding } = each as fhir4.Coding & fhir4.CodeableConcept;
    const own = typeof code === 'string' ? [`${system ?? ''}|${code}`] : [];
    return Array.isArray(coding) ? [...own, ...codesIn(coding)] : own;
  });

export const codesWithin = (element: unknown): string[] =>
  typeof element !== 'object' || element === null
    ? []
    : [...(Array.isArray(element) ? [] : codesIn(element)), ...Object.values(element).flatMap(codesWithin)];

const noFurther: FurtherCodes = {};

/** Labels by `system|code`, and by `system|beginning*`. */
type Table = ReadonlyMap<string, ReadonlySet<string>>;

/** `F20*-F22*` written out. */
const spelledOut = (code: string): string[] => {
  const [, letter, from, to] = /^([A-Z])(\d\d)\*-[A-Z](\d\d)\*$/.exec(code) ?? [];
  if (letter === undefined) return [code];
  const [first, last] = [Number(from), Number(to)];
  return Array.from({ length: last - first + 1 }, (_, n) => `${letter}${String(first + n).padStart(2, '0')}*`);
};

/** Made once a process, for the codes of its deployment. */
const tables = new WeakMap<FurtherCodes, Table>();

const tableOf = (further: FurtherCodes): Table => {
  const table = new Map<string, Set<string>>();
  const add = (name: string, label: string) =>
    table.set(name, (table.get(name) ?? new Set()).add(`${actCode}|${label}`));
  for (const [label, bySystem] of Object.entries(sensitiveCodes))
    for (const [system, codes] of Object.entries(bySystem))
      for (const code of codes.split(/\s+/).flatMap(spelledOut))
        for (const address of sensitiveSystems[system] ?? []) add(`${address}|${code}`, label);
  for (const [label, names] of Object.entries(further)) for (const name of names) add(name, label);
  return table;
};

/**
 * What labels a record's codes come to, wherever in it they stand. Nothing of it is stored, so a newer set holds for older records as well. What is told in
 * words alone is not recognised.
 *
 * @param further - codes of the deployment, beside the starting set.
 * @returns `system|code` of v3-ActCode for a resource.
 */
export const labelsByCode = (further: FurtherCodes = noFurther): ((resource: Resource | undefined) => string[]) => {
  const table = tables.get(further) ?? tableOf(further);
  tables.set(further, table);
  return (resource) => {
    const { meta: _labels, ...said } = resource ?? {};
    const found = new Set<string>();
    for (const name of new Set(codesWithin(said))) {
      for (const label of table.get(name) ?? []) found.add(label);
      for (let end = name.indexOf('|') + 1; end <= name.length; end++)
        for (const label of table.get(`${name.slice(0, end)}*`) ?? []) found.add(label);
    }
    return [...found];
  };
};

/** What a record is taken for beside the labels that it bears: `system|code` by what it says and who keeps it. Pure. */
export type DerivedLabels = (resource: Resource | undefined, custodian: string) => readonly string[];

/**
 * Labels by a deployment's codes and programmes. What a programme wrote before it was known as one is under the same law, and so is what names one.
 *
 * @param programmes - names of substance-use programmes (programmes.ts).
 */
export const derivedLabels = (
  { sensitiveCodes: further }: Pick<Policy, 'sensitiveCodes'>,
  programmes: ReadonlySet<string>,
): DerivedLabels => {
  const byCode = labelsByCode(further);
  return (resource, custodian) =>
    programmes.has(`Organization/${custodian}`) || namesProgramme(resource, programmes)
      ? [...byCode(resource), part2Label]
      : byCode(resource);
};
