import { foldText } from '../../../shared/search/fold.ts';

/** What a writer knows of one record that it has written. */
export interface Known {
  /** `Type/id`. */
  readonly reference: string;
  /** The patient's reference; of a patient, its own. */
  readonly patient: string;
  /** An observation's only code, or a patient's only family name: no other record has it. */
  readonly word: string;
  /** Of its identifier, which it keeps. */
  readonly number: string;
  readonly deleted: boolean;
}

/** A record as it was when a search began: it may be compared with what is found if nothing has happened to it until the end. */
export interface Noted extends Known {
  readonly writes: number;
}

/** What was written and acknowledged, and what is under way. */
export class Ledger {
  readonly #known = new Map<string, Known & { writes: number; busy: boolean }>();
  /** Acknowledged writes. */
  writes = 0;

  /** Notes down what an answer has acknowledged. */
  acknowledge(known: Known): void {
    this.writes++;
    this.#known.set(known.reference, { ...known, writes: this.writes, busy: false });
  }

  /** Until the answer is there, nobody knows what a search will find. */
  begin({ reference }: Known): void {
    const known = this.#known.get(reference);
    if (known) known.busy = true;
  }

  /** All records that nothing is happening to. */
  settled(): Noted[] {
    return [...this.#known.values()].filter(({ busy }) => !busy);
  }

  /** Whether nothing has happened to a record since it was noted. */
  isUntouched({ reference, writes }: Noted): boolean {
    const known = this.#known.get(reference);
    return known !== undefined && known.writes === writes && !known.busy;
  }
}

/** A word that no other record has, of letters alone, so that names may have it. */
export const uniqueWord = (number: number): string =>
  foldText(`Zq${[...String(number).padStart(6, '0')].map((digit) => 'abcdefghij'[Number(digit)]).join('')}`);
