import {
  allOrNothing,
  everybodyEnds,
  indexIsCurrent,
  keepsAnswered,
  noDangling,
  nothingLeftOver,
  oncePerCondition,
  refusedLeavesNothing,
} from './invariants.ts';
import { seesWhatIsAnswered } from './reading.ts';
import type { Rules } from './rules.ts';
import type { Scenario, Work } from './scenario.ts';

// Kinds of writers. Each gets the records of its own by its number.

const staged = true;
/** A large bundle that changes A and creates a record. */
const stagedUpdate = (n: number): Work => ({ staged, hints: true, creates: [`N${n}`], changes: ['A'] });
/** The same, where A is changed by the call that decides. */
const decidedUpdate = (n: number): Work => ({ ...stagedUpdate(n), direct: ['A'] });
/** A large bundle that creates a record which refers to R. */
const stagedReference = (n: number): Work => ({ staged, hints: true, creates: [`N${n}`], refersTo: 'R' });
/** The same from another chart: a pointer leads to it from R's own chart, and comes when it is settled. */
const stagedPointer = (n: number): Work => ({ staged, creates: [`N${n}`], refersTo: 'R', pointed: true });
/** One that deletes R. */
const stagedDelete = (): Work => ({ staged, deletes: ['R'] });
/** One that creates a record under an id that its client chose. */
const stagedChosen = (): Work => ({ staged, chosen: ['X'] });
const stagedLocated = (n: number): Work => ({ staged, creates: [`X.w${n}`], chosen: ['L'] });
/** One that creates a record only if none meets a condition. */
const stagedGuarded = (n: number): Work => ({ staged, creates: [`N${n}`], guarded: true });
const update = (): Work => ({ changes: ['A'] });
const updateOfReferred = (): Work => ({ changes: ['R'] });
const reference = (n: number): Work => ({ creates: [`N${n}`], refersTo: 'R' });
const deletion = (): Work => ({ deletes: ['R'] });
const chosen = (): Work => ({ chosen: ['X'] });
const located = (n: number): Work => ({ creates: [`X.w${n}`], chosen: ['L'] });
const guarded = (n: number): Work => ({ creates: [`N${n}`], guarded: true });

type Kind = (n: number) => Work;

/** Nobody gives up, and no deadline passes: who waits then waits for the others to end. */
const waiting = { patience: 'waits', clock: 'stands still' } as const;

const writers = (...kinds: readonly Kind[]) => Object.fromEntries(kinds.map((kind, n) => [`w${n + 1}`, kind(n + 1)]));

/** A scenario, and how many states it has at least: a search that finds fewer does not search what it should. */
export interface Searched {
  readonly scenario: Scenario;
  readonly atLeast: number;
}

const searched = (name: string, atLeast: number, kinds: readonly Kind[], more: Partial<Scenario> = {}): Searched => ({
  scenario: { name, writers: writers(...kinds), ...more },
  atLeast,
});

/** One that changes these records. */
const changing =
  (...changes: readonly string[]): Kind =>
  () => ({ staged, changes });
/** One that holds a record and changes another as it is decided. */
const changingAsDecided =
  (held: string, direct: string): Kind =>
  () => ({ staged, changes: [held, direct], direct: [direct] });

/** Two or three writers, a reader and a sweeper each. Those of two are here with three in `largerScenarios`. */
export const scenarios: readonly Searched[] = [
  searched('a staged update beside two updates', 50_000, [stagedUpdate, update, update], { readings: 2 }),
  searched('a staged update beside one update, where rows are read one by one', 6_000, [stagedUpdate, update], {
    rowsRead: 'one by one',
  }),
  searched('a staged update beside one update, found by search', 6_000, [stagedUpdate, update], { reads: 'search' }),
  searched(
    'a staged update beside one update, where writers live as long as they like',
    6_000,
    [stagedUpdate, update],
    {
      lives: 'unbounded',
    },
  ),
  searched('a staged update beside an update, where an answer is lost', 40_000, [stagedUpdate, update, chosen], {
    losses: 1,
  }),
  searched('a staged update that is made as it is decided', 10_000, [decidedUpdate, update, update]),
  searched('a staged reference beside another one and a deletion', 8_000, [stagedReference, reference, deletion], {
    readings: 2,
  }),
  searched(
    'a staged reference beside an update and a deletion',
    15_000,
    [stagedReference, updateOfReferred, deletion],
    {
      readings: 2,
    },
  ),
  searched('a staged reference from another chart beside two deletions', 10_000, [stagedPointer, deletion, deletion]),
  searched('a staged deletion beside a staged reference', 20_000, [stagedDelete, stagedReference]),
  searched('a staged deletion beside a reference', 700, [stagedDelete, reference]),
  searched('three creates under one id', 50_000, [stagedChosen, stagedChosen, chosen]),
  searched('three creates under one id that has a locator', 10_000, [stagedLocated, located, located], {
    reads: 'locator',
    readings: 2,
  }),
  searched('three creates under one condition', 10_000, [stagedGuarded, guarded, guarded]),
  searched(
    'rivals for the same rows that wait for one another',
    10_000,
    [changing('A', 'C'), changing('B', 'C'), update],
    waiting,
  ),
  searched(
    'rivals for rows that the other decides with',
    8_000,
    [changingAsDecided('A', 'B'), changingAsDecided('B', 'A'), update],
    waiting,
  ),
];

const two = (name: string, first: Kind, second: Kind, more: Partial<Scenario> = {}): Scenario => ({
  name,
  writers: writers(first, second),
  ...more,
});
const rivals = two('two staged updates of the same records', changing('A', 'B'), changing('A', 'B'));
const updates = two('a staged update beside an update', stagedUpdate, update, { readings: 2 });
const lost = two('a staged update beside an update, where an answer is lost', stagedUpdate, update, { losses: 1 });
const deleted = two('a staged reference beside a deletion', stagedReference, deletion);
const condition = two('two creates under one condition', stagedGuarded, guarded);

/** For each rule of the protocol, a scenario of two writers that needs it, and the invariant that breaks there without it. */
export const needs: Readonly<Record<keyof Rules, readonly [Scenario, invariant: string]>> = {
  markerOnlyIfAbsent: [lost, allOrNothing],
  createOnlyIfAbsent: [two('two creates under one id', stagedChosen, stagedChosen), keepsAnswered],
  holdOnlyExpectedVersion: [updates, allOrNothing],
  holdOnlyUnmarked: [rivals, allOrNothing],
  yieldToSmallerName: [
    two('two that wait for one another', changing('A', 'B'), changing('A', 'B'), waiting),
    everybodyEnds,
  ],
  holdWherePointed: [two('a reference from another chart beside a deletion', stagedPointer, deletion), noDangling],
  guardOnlyAsExpected: [condition, oncePerCondition],
  decideOnlyIfOpen: [updates, allOrNothing],
  decideOnlyIfReferredExists: [deleted, noDangling],
  decideCountsReference: [deleted, noDangling],
  settleOnlyIfMarked: [rivals, allOrNothing],
  indexWithItsRecord: [updates, indexIsCurrent],
  guardsAndHeldLast: [condition, oncePerCondition],
  answerAfterSettling: [
    two('a staged update beside an update, found by search', stagedUpdate, update, { reads: 'search' }),
    seesWhatIsAnswered,
  ],
  abortOnlyIfOpen: [rivals, allOrNothing],
  undoOnlyIfMarked: [rivals, allOrNothing],
  undoHints: [updates, indexIsCurrent],
  finishWhatIsDecided: [lost, allOrNothing],
  keepLogAfterForeignAbort: [updates, nothingLeftOver],
  keepLogAfterUnansweredCall: [lost, nothingLeftOver],
  sweep: [updates, nothingLeftOver],
  commitOnlyUnmarked: [updates, allOrNothing],
  deleteOnlyIfReferencesUnchanged: [deleted, noDangling],
  readReferencesBeforeChart: [deleted, noDangling],
  readerHidesUndecided: [deleted, refusedLeavesNothing],
  readerShowsDecided: [updates, seesWhatIsAnswered],
  rememberOnlySettledLocators: [
    two('two creates under one id that has a locator', stagedLocated, located, { reads: 'locator', readings: 2 }),
    seesWhatIsAnswered,
  ],
};

const kinds = { stagedUpdate, stagedReference, update, deletion, stagedChosen, stagedGuarded };
const kindNames = Object.keys(kinds) as (keyof typeof kinds)[];

/** Three writers of every choice among the kinds that the protocol tells apart, of which one is not staged. */
const everyChoice: readonly Scenario[] = kindNames.flatMap((first, i) =>
  kindNames.slice(i).flatMap((second, j) =>
    kindNames.slice(i + j).map((third): Scenario => {
      const choice = [first, second, third];
      return { name: choice.join(', '), writers: writers(...choice.map((name) => kinds[name])) };
    }),
  ),
);

const isAllStaged = ({ writers }: Scenario): boolean => Object.values(writers).every(({ staged }) => staged);
const isNotAllStaged = (scenario: Scenario): boolean => !isAllStaged(scenario);

/** Three staged ones, without a reader: only those that want the same rows have anything to do with one another. */
const threeStaged: readonly Scenario[] = Object.entries({
  ...kinds,
  stagedUpdate: changing('A'),
}).map(([name, kind]) => ({ name: `three times ${name}`, writers: writers(kind, kind, kind), readings: 0 }));

const three = (name: string, kinds: readonly Kind[], more: Partial<Scenario> = {}): Scenario => ({
  name,
  writers: writers(...kinds),
  ...more,
});

/** What takes minutes: `npm run prove:model`. */
export const largerScenarios: readonly Scenario[] = [
  three('a staged update beside two updates, where rows are read one by one', [stagedUpdate, update, update], {
    rowsRead: 'one by one',
  }),
  three('a staged update beside two updates, found by search', [stagedUpdate, update, update], { reads: 'search' }),
  three('a staged update beside two updates, where writers live as long as they like', [stagedUpdate, update, update], {
    lives: 'unbounded',
  }),
  three('a staged deletion beside two references', [stagedDelete, stagedReference, reference]),
  ...scenarios
    .filter(({ atLeast }) => atLeast < 50_000)
    .map(({ scenario }): Scenario => ({ ...scenario, name: `${scenario.name}, two sweepers`, sweepers: 2 })),
  ...Object.values(needs).map(
    ([scenario]): Scenario => ({ ...scenario, name: `${scenario.name}, every call`, everyCall: true }),
  ),
  { ...updates, name: `${updates.name}, two answers lost`, losses: 2 },
  { ...deleted, name: `${deleted.name}, two answers lost`, losses: 2 },
  { ...condition, name: `${condition.name}, two answers lost`, losses: 2 },
  ...everyChoice.filter(isNotAllStaged),
  ...threeStaged.filter(isAllStaged),
];
