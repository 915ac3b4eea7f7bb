import type { ConsentKind, Facts } from './consents.ts';

// Who may know of which change, and when. Nothing of it is asked of the server: an operation was sent at one moment and answered at another, and was carried out at some
// moment between. So each state of a person's charts may have held from when what led to it was sent until what ended it was answered.

/** A Consent that is in force. */
interface Given {
  readonly chart: string;
  readonly kind: ConsentKind;
  readonly to: readonly string[];
}

/** What was in force and what was last said, of one person. */
interface State {
  /** From when it may have held. */
  readonly from: number;
  /** Until when it may have held; infinite for the last one. */
  until: number;
  readonly consents: ReadonlyMap<string, Given>;
  /** What each record last said, whether it is deleted or not. */
  readonly current: ReadonlyMap<string, Facts>;
  readonly merged: boolean;
}

/** A version that a write has made. */
export interface Change {
  readonly person: Person;
  /** `Patient/<id>` of the chart. */
  readonly chart: string;
  /** `Type/id`. */
  readonly name: string;
  readonly version: number;
  readonly kind: 'created' | 'updated' | 'deleted';
  /** What the version says; of a deletion, what the record last said. */
  readonly facts: Facts;
  /** Text that stands in this version alone; of a deletion none. */
  readonly mark: string | undefined;
  /** When it was asked for: it was not known before. */
  readonly sent: number;
  /** Number of the state that it led to. */
  readonly state: number;
}

/** What an operation did that was carried out. */
export interface Done {
  readonly changes: readonly Omit<Change, 'person' | 'sent' | 'state'>[];
  /** Consents that are given or changed by it, by name; undefined for what is in force no more. */
  readonly consents?: ReadonlyMap<string, Given | undefined>;
  readonly merged?: boolean;
}

/** Who is told of what the whole network may read. */
export const network = '*';

/** One person in reality, with one chart or with two that may be merged, all of one organisation. Or, without any chart, what an organisation has in the directory, which is for all of the network. */
export class Person {
  readonly custodian: string;
  readonly isDirectory: boolean;
  readonly changes: Change[] = [];
  readonly #states: State[] = [
    { from: 0, until: Number.POSITIVE_INFINITY, consents: new Map(), current: new Map(), merged: false },
  ];

  constructor(custodian: string, isDirectory = false) {
    this.custodian = custodian;
    this.isDirectory = isDirectory;
  }

  get merged(): boolean {
    return this.#now.merged;
  }

  /** Whether two charts of this person ever were merged. */
  get everMerged(): boolean {
    return this.#states.some(({ merged }) => merged);
  }

  /** Consents of this person that are in force, by name. */
  get consents(): ReadonlyMap<string, Given> {
    return this.#now.consents;
  }

  get #now(): State {
    const state = this.#states.at(-1);
    if (!state) throw new Error('a person is in some state');
    return state;
  }

  /** Takes in what an operation did that was sent at one moment, and known to be done at another. */
  carriedOut(sent: number, known: number, { changes, consents = new Map(), merged }: Done): void {
    const before = this.#now;
    before.until = known;
    const inForce = new Map(before.consents);
    for (const [name, given] of consents) {
      if (given) inForce.set(name, given);
      else inForce.delete(name);
    }
    const current = new Map(before.current);
    for (const { name, facts } of changes) current.set(name, facts);
    this.#states.push({
      from: sent,
      until: Number.POSITIVE_INFINITY,
      consents: inForce,
      current,
      merged: merged ?? before.merged,
    });
    this.changes.push(...changes.map((change) => ({ ...change, person: this, sent, state: this.#states.length - 1 })));
  }

  /** Whether there is a moment from one to the other, both included, at which a recipient may have been permitted to know of the change. */
  permitsAtSome(recipient: string, change: Change, from: number, to: number): boolean {
    return this.#within(change, from, to).some((state) => this.#permits(recipient, change, state));
  }

  /** Whether a recipient was permitted to know of the change at all moments from one to the other. */
  permitsThroughout(recipient: string, change: Change, from: number, to: number): boolean {
    return this.#within(change, from, to).every((state) => this.#permits(recipient, change, state));
  }

  /** Whether an organisation saw anything of a chart that another one keeps, at some moment until this one. */
  sawSome(organization: string, chart: string, until: number): boolean {
    return this.#states.some((state) => state.from <= until && this.#seesSome(organization, chart, state));
  }

  /** Whether it does now. */
  seesSome(organization: string, chart: string): boolean {
    return this.#seesSome(organization, chart, this.#now);
  }

  #seesSome(organization: string, chart: string, state: State): boolean {
    return kindsOfFacts.some((facts) => this.#shares(organization, chart, facts, state));
  }

  /** The states that may have held between two moments, both included, of those in which the change was made. */
  #within({ state }: Change, from: number, to: number): State[] {
    return this.#states.slice(state).filter((each) => each.from <= to && each.until >= from);
  }

  #permits(recipient: string, change: Change, state: State): boolean {
    if (this.isDirectory || recipient === network) return this.isDirectory && recipient === network;
    if (recipient === this.custodian) return true;
    // An earlier version is seen only if the current one is.
    return [change.facts, state.current.get(change.name) ?? change.facts].every((facts) =>
      this.#shares(recipient, change.chart, facts, state),
    );
  }

  /** Whether the Consents in force show somebody else a record of a chart. */
  #shares(organization: string, chart: string, facts: Facts, { consents, merged }: State): boolean {
    if (facts.type === 'Consent' || (facts.linked && !merged)) return false;
    const inForce = [...consents.values()];
    const isClosed = inForce.some(
      (given) => (merged || given.chart === chart) && given.kind.closes(facts, organization, given.to),
    );
    return (
      !isClosed && inForce.some((given) => given.chart === chart && given.kind.opens(facts, organization, given.to))
    );
  }
}

/** What records there may be in a chart, as far as it matters to Consents. */
const kindsOfFacts: readonly Facts[] = ['Patient', 'Observation', 'Condition', 'Encounter'].flatMap((type) => [
  { type, labels: [] },
  { type, labels: ['R'] },
]);

/** All that was written. */
export class Model {
  readonly people: Person[] = [];

  add(custodian: string, isDirectory = false): Person {
    const person = new Person(custodian, isDirectory);
    this.people.push(person);
    return person;
  }

  /** All versions that were made. */
  changes(): Change[] {
    return this.people.flatMap(({ changes }) => changes);
  }
}
