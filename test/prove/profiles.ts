import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keptGuide } from '../../infra/generate/us-core-profiles.ts';

/** What a profile asks, by kind, such as `min` or `pattern`, and how often. */
type Counts = Record<string, number>;

interface Published {
  readonly url: string;
  readonly differential: { readonly element: readonly Record<string, unknown>[] };
}

const counted = (counts: Counts, kind: string, present: boolean): void => {
  if (present) counts[kind] = (counts[kind] ?? 0) + 1;
};

/** Counts what the guide itself publishes, by the names of members alone. */
const published = ({ differential }: Published): Counts => {
  const counts: Counts = {};
  for (const element of differential.element) {
    const names = Object.keys(element);
    const types = (element['type'] ?? []) as { profile?: string[]; targetProfile?: string[] }[];
    for (const kind of ['min', 'max', 'slicing', 'binding']) counted(counts, kind, names.includes(kind));
    counted(
      counts,
      'fixed',
      names.some((name) => /^fixed[A-Z]/.test(name)),
    );
    counted(
      counts,
      'pattern',
      names.some((name) => /^pattern[A-Z]/.test(name)),
    );
    for (const { profile = [], targetProfile = [] } of types) {
      for (const _ of profile) counted(counts, 'profile', true);
      for (const _ of targetProfile) counted(counts, 'target', true);
    }
    for (const _ of (element['constraint'] ?? []) as unknown[]) counted(counts, 'rule', true);
  }
  return counts;
};

/** Counts what was taken over. */
const kept = (elements: ReturnType<typeof keptGuide>['profiles'][number]['elements']): Counts => {
  const counts: Counts = {};
  for (const { min, max, discriminators, binding, fixed, pattern, types = [], rules = [] } of elements) {
    counted(counts, 'min', min !== undefined);
    counted(counts, 'max', max !== undefined);
    counted(counts, 'slicing', discriminators !== undefined);
    counted(counts, 'binding', binding !== undefined);
    counted(counts, 'fixed', fixed !== undefined);
    counted(counts, 'pattern', pattern !== undefined);
    for (const { profile, targets = [] } of types) {
      counted(counts, 'profile', profile !== undefined);
      for (const _ of targets) counted(counts, 'target', true);
    }
    for (const _ of rules) counted(counts, 'rule', true);
  }
  return counts;
};

const inOrder = (counts: Counts): string =>
  Object.entries(counts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');

/**
 * Compares what was taken over of US Core with the guide as it is published.
 *
 * @param folder - with one JSON file for each of its definitions.
 * @returns whether the definitions are those that were taken over, and each profile asks as much as it does there.
 */
export const proveProfiles = (folder: string): boolean => {
  const names = readdirSync(folder).sort();
  const read = (kinds: RegExp): string[] =>
    names.filter((name) => kinds.test(name)).map((name) => readFileSync(join(folder, name), 'utf8'));
  const { guide, sha256, profiles } = keptGuide();
  const hash = createHash('sha256').update(read(/^(?:StructureDefinition|ValueSet|CodeSystem)-/).join(''));
  const faults =
    hash.digest('hex') === sha256 ? [] : [`the definitions are not those of which ${guide} was taken over`];
  const structures = read(/^StructureDefinition-/).map((text) => JSON.parse(text) as Published);
  const total: Counts = {};
  for (const structure of structures) {
    const own = profiles.find(({ url }) => url === structure.url);
    const [there, here] = [published(structure), kept(own?.elements ?? [])];
    for (const [kind, count] of Object.entries(there)) total[kind] = (total[kind] ?? 0) + count;
    if (inOrder(there) !== inOrder(here))
      faults.push(`${structure.url}: ${inOrder(there)}; taken over: ${inOrder(here)}`);
  }
  if (structures.length !== profiles.length)
    faults.push(`${structures.length} profiles; taken over: ${profiles.length}`);
  console.log(`${guide}: ${structures.length} profiles and extensions; ${inOrder(total)}`);
  for (const fault of faults) console.log(fault);
  return faults.length === 0;
};
