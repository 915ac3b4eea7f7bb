import type { Guide } from './check-profile.ts';
import type { CodeTable, Profile, Rule } from './profile.ts';

interface Published {
  readonly version: string;
  readonly profiles: readonly Profile[];
  readonly codeTables: readonly CodeTable[];
  readonly rules: readonly Rule[];
}

let known: Guide | undefined;

/** US Core, read and parsed once a process, when a resource claims to meet it. https://hl7.org/fhir/us/core/STU6.1/ */
export const usCore = async (): Promise<Guide> => {
  if (known) return known;
  const { guide } = await import('../fhir/generated/profiles/us-core.data.ts');
  const { profiles, codeTables, ...published } = JSON.parse(guide) as Published;
  known = {
    ...published,
    profiles: new Map(profiles.map((profile) => [profile.name, profile])),
    codeTables: new Map(codeTables.map((table) => [table.url, table])),
  };
  return known;
};
