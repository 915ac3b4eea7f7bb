import type { Guide } from './check-profile.ts';
import type { CodeTable, Profile, Rule } from './profile.ts';

const parsed = <T>(lines: string): T[] => JSON.parse(`[${lines.split('\n').join(',')}]`) as T[];

let read: Promise<Guide> | undefined;

/** US Core, read and parsed once a process, when a resource claims to meet it. https://hl7.org/fhir/us/core/STU6.1/ */
export const usCore = (): Promise<Guide> => {
  read ??= import('../fhir/generated/profiles/us-core.data.ts').then((texts) => ({
    version: texts.version,
    profiles: new Map(parsed<Profile>(texts.profiles).map((profile) => [profile.name, profile])),
    codeTables: new Map(parsed<CodeTable>(texts.codeTables).map((table) => [table.url, table])),
    rules: parsed<Rule>(texts.rules),
  }));
  // What fails to be read is tried again at the next claim.
  read.catch(() => {
    read = undefined;
  });
  return read;
};
