/**
 * What stands in a row is of a layout that this release does not know: a newer one wrote it, or it is damaged. It is refused, because a
 * guess could show a wrong fact. The message tells kind and layout, nothing of what the row holds.
 */
export class WrittenByNewerRelease extends Error {
  override readonly name = 'WrittenByNewerRelease';
  constructor(kind: string, layout: unknown, known: readonly number[]) {
    super(`The ${kind} is of layout ${String(layout)}, written by a newer release; this one reads ${known.join(', ')}`);
  }
}

/**
 * How one kind of row is read: a reader for each layout that was ever written, for ever. Rows are never migrated; the next write of a
 * record brings it into the layout of today. docs/store.md, "Layouts", tells how a new one is introduced, and `test/layouts/` keeps what
 * each was written as. Each is marked as pure: a function that only writes rows holds no code that reads them.
 */
export class Layouts<Reader> {
  /** What is read, such as `body`. Also the name of its fixtures. */
  readonly kind: string;
  /** The layouts that this release reads, oldest first. */
  readonly known: readonly number[];
  readonly #readers: ReadonlyMap<number, Reader>;

  constructor(kind: string, readers: Readonly<Record<number, Reader>>) {
    this.kind = kind;
    this.#readers = new Map(Object.entries(readers).map(([layout, reader]) => [Number(layout), reader]));
    this.known = [...this.#readers.keys()];
  }

  /**
   * The reader of a layout.
   *
   * @throws WrittenByNewerRelease.
   */
  reader(layout: unknown): Reader {
    const reader = this.#readers.get(layout as number);
    if (reader === undefined) throw new WrittenByNewerRelease(this.kind, layout, this.known);
    return reader;
  }
}
