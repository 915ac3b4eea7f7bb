/** One change that a request asks for. */
export type Effect =
  /** A new record whose id the server gives. `chart` is the patient whose record it is; undefined for a patient and for the directory. */
  | { readonly do: 'create'; readonly type: string; readonly mark: string; readonly chart?: string | undefined }
  /** A new record unless one with this key exists. */
  | { readonly do: 'create-once'; readonly type: string; readonly mark: string; readonly key: string }
  /** The next version of a record, or its first under an id of our own choice. */
  | {
      readonly do: 'write';
      readonly name: string;
      readonly after: number;
      /** Undefined for a deletion. */
      readonly mark: string | undefined;
      readonly chart: string | undefined;
    };

/** One request that was sent. All of its effects happen, or none. */
export interface Attempt {
  readonly effects: readonly Effect[];
}

/** What is known of one record. */
export interface KnownRecord {
  /** `Type/id` */
  readonly name: string;
  /** Reference to the patient whose chart it is in; undefined in the directory. */
  readonly chart: string | undefined;
  /** The mark of each version, from the first; undefined for a deletion. */
  readonly versions: (string | undefined)[];
}

/** What one effect turned out to be. */
export interface Outcome {
  readonly effect: Effect;
  readonly name: string;
  readonly version: number;
  /** False if a conditional create found the record of another. */
  readonly isNew: boolean;
}

/** What was written, as far as it was acknowledged, and what may have been. */
export class Ledger {
  readonly records = new Map<string, KnownRecord>();
  /** Requests whose answer has not come. */
  readonly open = new Set<Attempt>();
  /** Marks of what was refused, or found to be absent: they must never appear. */
  readonly void = new Set<string>();
  /** Records that conditional creates were told of, by key. */
  readonly once = new Map<string, Set<string>>();
  /** Every key that a conditional create has named, with the marks it was tried with. */
  readonly keys = new Map<string, Set<string>>();
  /** What acknowledgements said that cannot be. */
  readonly faults: string[] = [];
  /** `Type/id/version` of what was acknowledged or found, since the round began. */
  readonly fresh = new Set<string>();

  /** Notes a request before it is sent. */
  sent(effects: readonly Effect[]): Attempt {
    const attempt = { effects };
    this.open.add(attempt);
    for (const effect of effects) {
      if (effect.do !== 'create-once') continue;
      const marks = this.keys.get(effect.key) ?? new Set();
      this.keys.set(effect.key, marks.add(effect.mark));
    }
    return attempt;
  }

  /** Notes that a request was carried out, and what came of each of its effects, in their order. */
  carriedOut(attempt: Attempt, outcomes: readonly Outcome[]): void {
    this.open.delete(attempt);
    for (const outcome of outcomes) this.#note(outcome);
  }

  /** Notes that a request was not carried out. */
  refused(attempt: Attempt): void {
    this.open.delete(attempt);
    for (const { mark } of attempt.effects) if (mark !== undefined) this.void.add(mark);
  }

  #note({ effect, name, version, isNew }: Outcome): void {
    if (effect.do === 'create-once') {
      this.once.set(effect.key, (this.once.get(effect.key) ?? new Set()).add(name));
      if (!isNew) {
        this.void.add(effect.mark);
        return;
      }
    }
    const chart = name.startsWith('Patient/') ? name : effect.do === 'create-once' ? undefined : effect.chart;
    const known = this.records.get(name) ?? { name, chart, versions: [] };
    this.records.set(name, known);
    if (version !== known.versions.length + 1) {
      this.faults.push(`${name}: version ${version} was acknowledged after version ${known.versions.length}`);
      return;
    }
    known.versions.push(effect.mark);
    this.fresh.add(`${name}/${version}`);
  }

  /** The records of a chart that are there, and those that were deleted. */
  inChart(chart: string): KnownRecord[] {
    return [...this.records.values()].filter((record) => record.chart === chart);
  }
}

export const isThere = ({ versions }: KnownRecord): boolean => versions.at(-1) !== undefined;
