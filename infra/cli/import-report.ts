import type { Result } from './import-records.ts';

interface Count {
  accepted: number;
  refused: number;
}

interface Reason {
  count: number;
  /** Where it happened first. */
  readonly places: string[];
}

/** Places that are told for one reason, and reasons that are told at all. */
const toldPlaces = 3;
const toldReasons = 50;

/** Counts what was accepted and refused, and why. */
export class ImportReport {
  readonly #types = new Map<string, Count>();
  readonly #reasons = new Map<string, Reason>();

  add(results: readonly Result[]): void {
    for (const { type, reason, place } of results) {
      const count = this.#types.get(type) ?? { accepted: 0, refused: 0 };
      this.#types.set(type, count);
      if (reason === undefined) {
        count.accepted += 1;
        continue;
      }
      count.refused += 1;
      const known = this.#reasons.get(reason) ?? { count: 0, places: [] };
      this.#reasons.set(reason, known);
      known.count += 1;
      if (known.places.length < toldPlaces) known.places.push(place);
    }
  }

  get total(): Readonly<Count> {
    const total = { accepted: 0, refused: 0 };
    for (const { accepted, refused } of this.#types.values()) {
      total.accepted += accepted;
      total.refused += refused;
    }
    return total;
  }

  /** The table at the end: a line for each type, the sum, and a line for each reason. */
  toString(): string {
    const rows = [...this.#types].sort(([a], [b]) => (a < b ? -1 : 1));
    const all = [...rows.map(([type, count]) => [type, count] as const), ['total', this.total] as const];
    const width = Math.max(...all.map(([type]) => type.length), 4);
    const line = (type: string, accepted: string, refused: string) =>
      `${type.padEnd(width)}  ${accepted.padStart(9)}  ${refused.padStart(9)}`;
    const number = (value: number) => value.toLocaleString('en-US');
    const table = [
      line('type', 'accepted', 'refused'),
      ...all.map(([type, { accepted, refused }]) => line(type, number(accepted), number(refused))),
    ];
    const reasons = [...this.#reasons].sort(([, a], [, b]) => b.count - a.count);
    const told = reasons.slice(0, toldReasons).map(([reason, { count, places }]) => {
      const more = count > places.length ? ` and ${number(count - places.length)} more` : '';
      return `${number(count)} × ${reason}\n    in ${places.join('; ')}${more}`;
    });
    const left = reasons.length - told.length;
    return [
      ...table,
      ...(told.length === 0 ? [] : ['', 'refused because', ...told]),
      ...(left > 0 ? [`… and for ${number(left)} more reasons`] : []),
    ].join('\n');
  }
}
