import {
  type CalendarChange,
  type CalendarWork,
  changesByDay,
  type DayChange,
  type DayRow,
  dayBasics,
  dayFrom,
  dayIntent,
  type KnownCalendars,
  lapsedOwners,
  newPieces,
  readCalendars,
  readRows,
  rowName,
  type TakenTime,
  takenBy,
} from './calendar.ts';
import type { Refusal, Step } from './commit-refusal.ts';
import type { RowKey } from './keys.ts';
import type { RecordStore } from './record-store.ts';
import type { RecordRow } from './rows.ts';

/** Lapsed holds that a write takes away beside its own work. */
const mostSwept = 10;

/** What a commit does with calendars: which rows it has seen, and what it therefore writes on which condition. */
export class Calendars {
  readonly #now: number;
  readonly #changes: readonly CalendarChange[];
  #known: KnownCalendars;
  #days: readonly DayChange[] = [];
  readonly #seen: Map<string, DayRow | undefined>;

  constructor({ now, changes, known }: CalendarWork) {
    this.#now = now;
    this.#changes = changes;
    this.#known = known ?? { days: new Map(), schedules: new Map() };
    this.#seen = new Map(known?.days);
  }

  /** Keys of the rows that it changes, once it has looked. */
  get keys(): RowKey[] {
    return this.#days.map(({ key }) => key);
  }

  /** Owners that change in one row, where they are most. */
  get mostOwners(): number {
    return Math.max(0, ...this.#days.map(({ names }) => names.size));
  }

  /**
   * Looks at the days on which time is wanted, and what Schedules say of it: calls beside one another. To give time back needs no look.
   *
   * @param again - also at days that were seen before.
   */
  async look(store: RecordStore, again = false): Promise<void> {
    if (again) {
      const wanted = this.#days.filter(({ wants }) => wants.length > 0).map(({ key }) => key);
      for (const [name, row] of await readRows(store, wanted)) this.#seen.set(name, row);
      return;
    }
    const takes = this.#changes.flatMap((change) => change.takes);
    this.#known = await readCalendars(store, takes, this.#known);
    for (const [name, row] of this.#known.days) this.#seen.set(name, row);
    this.#days = changesByDay(this.#changes, this.#known.schedules);
  }

  /** Time that others have, as far as was seen. */
  get taken(): TakenTime[] {
    return this.#days.flatMap((day) => this.#takenOn(day));
  }

  /** The writes, on the condition that the rows are as they were seen. */
  steps(TableName: string): Step[] {
    return this.#days.map((day) => ({
      action: {
        Update: { TableName, Key: day.key, ...this.#update(day), ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
      },
      refusal: (met) => this.#met(day, met),
    }));
  }

  /** The same as intents of a staged transaction: which row, how it is written, and what it means if that is refused. */
  holds(tx: string) {
    return this.#days.map((day) => ({
      key: day.key,
      update: () => this.#intent(day, tx),
      refusal: (met: RecordRow | undefined) => this.#met(day, met),
    }));
  }

  /** What was seen while another transaction held the row was not looked at: then the write must fail, and looks at what it meets. */
  #expression(day: DayChange): DayExpression {
    const unseen = day.wants.length > 0 && this.#seen.get(rowName(day.key))?.intent !== undefined;
    return new DayExpression(day, unseen ? ['attribute_exists(intent)'] : []);
  }

  #update(day: DayChange) {
    const { owners, quarters } = newPieces(day);
    const seen = dayFrom(this.#seen.get(rowName(day.key)));
    const expression = this.#expression(day);
    for (const name of quarters) {
      const count = seen.quarters.get(name);
      expression.expect(name, count);
      expression.set(name, (count ?? 0) + 1);
    }
    for (const [name, pieces] of owners) expression.set(name, pieces);
    for (const name of day.names) if (!owners.has(name)) expression.remove(name);
    for (const [name, pieces] of lapsedOwners(day, seen, this.#now).slice(0, mostSwept)) {
      expression.expect(name, pieces); // else its owner has come back
      expression.remove(name);
    }
    return expression.input;
  }

  #intent(day: DayChange, tx: string) {
    const seen = dayFrom(this.#seen.get(rowName(day.key)));
    const expression = this.#expression(day);
    for (const name of newPieces(day).quarters) expression.expect(name, seen.quarters.get(name));
    expression.set('intent', dayIntent(day, tx));
    return expression.input;
  }

  /** A row that a staged transaction holds tells nothing until that is settled. */
  #takenOn(day: DayChange): TakenTime[] {
    const row = this.#seen.get(rowName(day.key));
    return row?.intent ? [] : takenBy(day, dayFrom(row), this.#now);
  }

  /** A condition met another row than the one that was seen. If the time is still free there, the write is worth another try. */
  #met(day: DayChange, met: RecordRow | undefined): Refusal | undefined {
    this.#seen.set(rowName(day.key), met as DayRow | undefined);
    const [time] = this.#takenOn(day);
    return time && { kind: 'taken', time };
  }
}

/** An update of a day, on the condition that no staged transaction holds it. */
class DayExpression {
  readonly #conditions = ['attribute_not_exists(intent)'];
  readonly #sets: string[] = [];
  readonly #removes: string[] = [];
  readonly #names = new Map<string, string>();
  readonly #values: unknown[] = [];

  constructor(day: DayChange, conditions: readonly string[] = []) {
    this.#conditions.push(...conditions);
    for (const [name, value] of Object.entries(dayBasics(day))) this.set(name, value);
  }

  set(name: string, value: unknown): void {
    this.#sets.push(`${this.#name(name)} = ${this.#value(value)}`);
  }

  remove(name: string): void {
    this.#removes.push(this.#name(name));
  }

  /** Requires a value, or that there is none. */
  expect(name: string, value: unknown): void {
    const alias = this.#name(name);
    this.#conditions.push(value === undefined ? `attribute_not_exists(${alias})` : `${alias} = ${this.#value(value)}`);
  }

  get input() {
    const removal = this.#removes.length === 0 ? '' : ` REMOVE ${this.#removes.join(', ')}`;
    return {
      ConditionExpression: this.#conditions.join(' AND '),
      UpdateExpression: `SET ${this.#sets.join(', ')}${removal}`,
      ExpressionAttributeNames: Object.fromEntries([...this.#names].map(([name, alias]) => [alias, name])),
      ExpressionAttributeValues: Object.fromEntries(this.#values.map((value, index) => [`:${index}`, value])),
    };
  }

  #name(name: string): string {
    const alias = this.#names.get(name) ?? `#${this.#names.size}`;
    this.#names.set(name, alias);
    return alias;
  }

  #value(value: unknown): string {
    return `:${this.#values.push(value) - 1}`;
  }
}
