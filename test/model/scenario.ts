/** What one writer wants to write, all or nothing. */
export interface Work {
  /** By the staged protocol; else as one DynamoDB transaction. */
  readonly staged?: true;
  /** Records at keys of their own. */
  readonly creates?: readonly string[];
  /** Keys that a client chose: others may want them too. `L` is a locator that leads to the writer's record `X.<writer>`. */
  readonly chosen?: readonly string[];
  readonly changes?: readonly string[];
  readonly deletes?: readonly string[];
  /** Index rows of created records are put beside them before it is decided: they lead to a record that nobody shows. */
  readonly hints?: true;
  /** Those of the changed records that are not staged, but written by the call that decides. */
  readonly direct?: readonly string[];
  /** A record outside that all created ones refer to. */
  readonly refersTo?: string;
  /** The record referred to is in another chart, where a pointer stands for the created ones: an index row, which comes with settling. */
  readonly pointed?: true;
  /** Only if nothing was made under the condition so far. */
  readonly guarded?: true;
}

/** Several processes on one table. */
export interface Scenario {
  readonly name: string;
  readonly writers: Readonly<Record<string, Work>>;
  /** How often the reader reads, one after the other; 1 if absent. With 0 there is none. */
  readonly readings?: number;
  /** What a reading is: all records, the same behind a search by index rows, or one by the id that a client chose. */
  readonly reads?: 'records' | 'search' | 'locator';
  /** How many sweepers there are; 1 if absent. */
  readonly sweepers?: number;
  /** How many answers may be lost; none if absent. */
  readonly losses?: number;
  /** Whether a writer may give up a row that another one holds, or waits, unless it has to yield. Gives up if absent. */
  readonly patience?: 'gives up' | 'waits';
  /** Whether deadlines pass, at any moment. They do if absent. */
  readonly clock?: 'runs' | 'stands still';
  /** Whether a writer may still be at work a quarter of an hour past its deadline. Bounded if absent. */
  readonly lives?: 'bounded' | 'unbounded';
  /** DynamoDB promises no snapshot of several rows. One call reads them all if absent. */
  readonly rowsRead?: 'at once' | 'one by one';
  /** Whether calls of which the time makes no difference are left out, for a smaller search. They are if absent. */
  readonly everyCall?: true;
}

/** The name of the guarded row among those of records. */
export const guard = 'G';

/** The records of a scenario: those that are there from the start, and those that may come. */
export const recordsOf = ({ writers }: Scenario): { existing: string[]; created: string[] } => {
  const works = Object.values(writers);
  const distinct = (names: readonly string[]) => [...new Set(names)].sort();
  return {
    existing: distinct(
      works.flatMap(({ changes = [], deletes = [], refersTo }) => [
        ...changes,
        ...deletes,
        ...(refersTo === undefined ? [] : [refersTo]),
      ]),
    ),
    created: distinct(works.flatMap(({ creates = [], chosen = [] }) => [...creates, ...chosen])),
  };
};

/** A record that a staged transaction holds from its staging to its end because it refers to it. */
export const heldBy = ({ refersTo, pointed }: Work): string | undefined => (pointed ? refersTo : undefined);

/** What a write changes. */
export const writtenBy = ({ creates = [], chosen = [], changes = [], deletes = [], guarded }: Work): string[] => [
  ...creates,
  ...chosen,
  ...changes,
  ...deletes,
  ...(guarded ? [guard] : []),
];

/** The rows that a staged transaction marks. */
export const markedBy = (work: Work): string[] =>
  [...writtenBy(work), heldBy(work) ?? []].flat().filter((record) => !work.direct?.includes(record));

/** Records to which hints lead. */
export const hintedBy = ({ creates = [], hints }: Work): readonly string[] => (hints ? creates : []);

export const workOf = ({ writers }: Scenario, name: string): Work => {
  const work = writers[name];
  if (!work) throw new Error(`There is no writer ${name}`);
  return work;
};
