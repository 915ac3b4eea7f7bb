import { CommandFailed } from '../command.ts';
import { deployedPlace } from './deployed-place.ts';
import { localPlace } from './local-place.ts';
import { type Operator, operatorOf } from './operator.ts';
import type { Place } from './place.ts';
import { Misunderstood, type Surroundings, type Understood, usageOf, type Verb } from './verb.ts';

/** How a command ends: `misunderstood` did nothing, `leftUndone` did part of it and says what is left. */
export const exitStatus = { done: 0, failed: 1, misunderstood: 2, leftUndone: 3 } as const;

/** Where words go. */
export interface Output {
  readonly print: (text: string) => void;
  /** On standard error: what is no result. */
  readonly say: (text: string) => void;
}

/** Several words may name a verb: the longest name counts that is typed. Throws Misunderstood. */
export const verbNamed = (
  verbs: readonly Verb[],
  words: readonly string[],
): { verb: Verb; rest: readonly string[] } => {
  const named = verbs
    .map((verb) => ({ verb, name: verb.name.split(' ') }))
    .filter(({ name }) => name.every((word, index) => words[index] === word))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
  if (named) return { verb: named.verb, rest: words.slice(named.name.length) };
  const typed = words.filter((word) => !word.startsWith('-')).join(' ');
  throw new Misunderstood(
    `${typed === '' ? 'Name what is to be done.' : `There is no "${typed}".`}\n\n${overview(verbs)}`,
  );
};

const overview = (verbs: readonly Verb[]): string => {
  const width = Math.max(...verbs.map(({ name }) => name.length)) + 2;
  return [
    'npm run admin -- <what> [--stage NAME] [--json] [--help]',
    '',
    ...verbs.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
    'Ends with 0 where all is done, 1 where it failed, 2 where it was not understood, 3 where something is left to do.',
  ].join('\n');
};

/**
 * Understands a command and does it, on the local server or on a stage.
 *
 * @param words - behind `npm run admin --`.
 * @returns the exit status.
 */
export const runAdmin = async (
  verbs: readonly Verb[],
  words: readonly string[],
  { print, say }: Output,
  now: number = Date.now(),
): Promise<number> => {
  let open: Promise<Place> | undefined;
  try {
    if (words.length === 0 || words[0] === '--help') {
      print(overview(verbs));
      return exitStatus.done;
    }
    const { verb, rest } = verbNamed(verbs, words);
    const understood = verb.understand(rest, now);
    if (understood.help) {
      print(usageOf(verb));
      return exitStatus.done;
    }
    const place = () => (open ??= placeFor(understood));
    const { text, data, leftUndone = false } = await understood.run(surroundings(understood, place, say, now));
    const shown = understood.dryRun ? `Nothing was changed. What would be done:\n\n${text}` : text;
    print(understood.json ? JSON.stringify({ dryRun: understood.dryRun, ...asObject(data) }, undefined, 2) : shown);
    return leftUndone ? exitStatus.leftUndone : exitStatus.done;
  } catch (error) {
    if (!(error instanceof Misunderstood || error instanceof CommandFailed)) throw error;
    say(error.message);
    return error instanceof Misunderstood ? exitStatus.misunderstood : exitStatus.failed;
  } finally {
    await open?.then(({ close }) => close()).catch(() => undefined);
  }
};

const asObject = (data: unknown): object => (typeof data === 'object' && data !== null ? data : { data });

const placeFor = ({ stage }: Understood): Promise<Place> => (stage === undefined ? localPlace() : deployedPlace(stage));

const surroundings = (
  { dryRun }: Understood,
  place: () => Promise<Place>,
  say: Output['say'],
  now: number,
): Surroundings => {
  let known: Promise<Operator> | undefined;
  return { place, operator: () => (known ??= place().then(operatorOf)), dryRun, now, say };
};
