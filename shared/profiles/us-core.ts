import type { Guide } from './check-profile.ts';
import type { CodeTable, Profile, Rule } from './profile.ts';

const parsed = <T>(lines: string): T[] => JSON.parse(`[${lines.split('\n').join(',')}]`) as T[];

let known: Guide | undefined;

/** US Core, read and parsed once a process, when a resource claims to meet it. https://hl7.org/fhir/us/core/STU6.1/ */
export const usCore = async (): Promise<Guide> => {
  if (known) return known;
  const texts = await import('../fhir/generated/profiles/us-core.data.ts');
  known = {
    version: texts.version,
    profiles: new Map(parsed<Profile>(texts.profiles).map((profile) => [profile.name, profile])),
    codeTables: new Map(parsed<CodeTable>(texts.codeTables).map((table) => [table.url, table])),
    rules: parsed<Rule>(texts.rules),
  };
  return known;
};
