import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Operator } from './operator.ts';
import type { Place } from './place.ts';

/** What was typed is no command. */
export class Misunderstood extends Error {
  override readonly name = 'Misunderstood';
}

/**
 * What a verb does to a deployment. What only `reads` is done at once; what `adds` is, too, and shows instead what it would do with
 * `--dry-run`; what `ends` something for somebody only shows that until `--yes` is given.
 */
export type Effect = 'reads' | 'adds' | 'ends';

/** What a verb found or did. */
export interface Report {
  /** For people: lines. */
  readonly text: string;
  /** For programs: what `--json` prints. */
  readonly data: unknown;
  /** Whether something is left that it should have done; the text says what. */
  readonly leftUndone?: boolean;
}

/** What a verb is run in. */
export interface Surroundings {
  /** Finds the deployment; the same one at each call. Throws CommandFailed. */
  readonly place: () => Promise<Place>;
  /** Who runs it, as the access log is to name them. Throws CommandFailed. */
  readonly operator: () => Promise<Operator>;
  /** Whether nothing is to be changed, and only shown what would be. */
  readonly dryRun: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Tells how far it has come, on standard error. */
  readonly say: (words: string) => void;
}

type Parsed<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: O; allowPositionals: true; strict: true }>
>;

/** What was given to a verb, option by option. */
export interface Given<O extends ParseArgsOptionsConfig> {
  readonly values: Parsed<O>['values'];
  readonly positionals: readonly string[];
}

/** The parts of a verb. */
export interface VerbParts<O extends ParseArgsOptionsConfig, Task> {
  /** What is typed, such as `staff list`. */
  readonly name: string;
  /** What it does, in half a line. */
  readonly summary: string;
  /** What stands behind the name, such as `--organization ID [--from DAY]`. */
  readonly synopsis: string;
  /** What its options mean, one a line. */
  readonly explained: string;
  readonly effect: Effect;
  readonly options: O;
  /** Makes a task of what was given. Throws Misunderstood. */
  readonly understand: (given: Given<O>, now: number) => Task;
  /** Throws CommandFailed with what stands in the way, in words for the person at the keyboard. */
  readonly run: (task: Task, surroundings: Surroundings) => Promise<Report>;
}

/** What can be asked of `npm run admin`. */
export interface Verb extends Pick<VerbParts<never, never>, 'name' | 'summary' | 'synopsis' | 'explained' | 'effect'> {
  /**
   * Understands the words behind the name, and does nothing yet.
   *
   * @param now - milliseconds since 1970.
   * @throws Misunderstood.
   */
  readonly understand: (words: readonly string[], now: number) => Understood;
}

/** A command that was understood. */
export interface Understood {
  readonly help: boolean;
  readonly json: boolean;
  /** The deployment that is meant; the local server if absent. */
  readonly stage: string | undefined;
  readonly dryRun: boolean;
  readonly run: (surroundings: Surroundings) => Promise<Report>;
}

/** Options that every verb has. */
const common = {
  help: { type: 'boolean' },
  json: { type: 'boolean' },
  stage: { type: 'string' },
} as const satisfies ParseArgsOptionsConfig;

/** Options by which somebody says whether something is to be done. */
const consent = {
  reads: {},
  adds: { 'dry-run': { type: 'boolean' } },
  ends: { 'dry-run': { type: 'boolean' }, yes: { type: 'boolean' } },
} as const satisfies Record<Effect, ParseArgsOptionsConfig>;

/** Makes a verb of its parts: what it is given has the types that its options say. */
export const defineVerb = <const O extends ParseArgsOptionsConfig, Task>(parts: VerbParts<O, Task>): Verb => {
  const { name, summary, synopsis, explained, effect, options, understand, run } = parts;
  const verb = { name, summary, synopsis, explained, effect };
  return {
    ...verb,
    understand: (words, now) => {
      const asked = parsed(verb, { ...common, ...consent[effect] }, options, words);
      const given = { values: asked.values, positionals: asked.positionals } as Given<O>;
      const { help = false, json = false, stage } = asked.common;
      const dryRun = asked.consent['dry-run'] === true || (effect === 'ends' && asked.consent.yes !== true);
      if (help) return { help, json, stage, dryRun, run: () => Promise.resolve({ text: usageOf(verb), data: {} }) };
      if (asked.consent['dry-run'] && asked.consent.yes) throw misused(verb, '--dry-run and --yes exclude each other');
      const task = told(verb, () => understand(given, now));
      return { help, json, stage, dryRun, run: (surroundings) => run(task, surroundings) };
    },
  };
};

const parsed = <O extends ParseArgsOptionsConfig>(
  verb: Named,
  shared: ParseArgsOptionsConfig,
  options: O,
  words: readonly string[],
) => {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options: { ...options, ...shared },
      allowPositionals: true,
      strict: true,
    });
    const all = values as Record<string, unknown>;
    return {
      values,
      positionals,
      common: all as { help?: boolean; json?: boolean; stage?: string },
      consent: all as { 'dry-run'?: boolean; yes?: boolean },
    };
  } catch (error) {
    throw misused(verb, (error as Error).message);
  }
};

const told = <T>(verb: Named, understand: () => T): T => {
  try {
    return understand();
  } catch (error) {
    throw error instanceof Misunderstood ? misused(verb, error.message) : error;
  }
};

type Named = Pick<Verb, 'name' | 'summary' | 'synopsis' | 'explained' | 'effect'>;

const misused = (verb: Named, message: string) =>
  new Misunderstood(`${message}\nUsage: npm run admin -- ${verb.name} ${verb.synopsis}`.trimEnd());

const consentExplained: Readonly<Record<Effect, string>> = {
  reads: '',
  adds: '--dry-run       shows what would be done, and does nothing',
  ends: '--yes           does it; without it, shows what would be done, and does nothing',
};

/** What a verb is for, and what may be said behind its name. */
export const usageOf = ({ name, summary, synopsis, explained, effect }: Named): string =>
  [
    `npm run admin -- ${name} ${synopsis}`.trimEnd(),
    '',
    `${summary}.`,
    '',
    explained,
    consentExplained[effect],
    '--stage NAME    a deployment, by the credentials of the environment; else the local server that PORT names',
    '--json          prints what programs read',
  ]
    .filter((line, index) => line !== '' || index < 4)
    .join('\n');

/** An option that has to be given. Throws Misunderstood. */
export const needed = (value: string | undefined, option: string): string => {
  if (value === undefined || value.trim() === '') throw new Misunderstood(`--${option} is missing`);
  return value.trim();
};

/** Nothing may stand behind the options. Throws Misunderstood. */
export const requireNoWords = (positionals: readonly string[]): void => {
  if (positionals.length > 0) throw new Misunderstood(`What is meant by "${positionals.join(' ')}"?`);
};
