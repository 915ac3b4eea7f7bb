import type { Random } from '../naive-search/random.ts';
import { identifierSystem, observationBody, patientBody } from '../records.ts';
import { type Known, type Ledger, uniqueWord } from './ledger.ts';
import { type Ask, codeSystem } from './searches.ts';

/** Numbers for words and identifiers that no other record has. */
export type NextNumber = () => number;

/** More entries than one transaction of DynamoDB takes, so that they are staged. */
const manyEntries = 100;
/** Records that a writer keeps: with more, each search of a chart would take longer than the one before. */
const mostKept = 20;

/** One writer: it alone writes its observations, in charts where others write too. */
export class Writer {
  readonly #ask: Ask;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #next: NextNumber;
  readonly #patients: readonly Known[];
  readonly #own: Known[] = [];

  constructor(ask: Ask, ledger: Ledger, random: Random, next: NextNumber, patients: readonly Known[]) {
    this.#ask = ask;
    this.#ledger = ledger;
    this.#random = random;
    this.#next = next;
    this.#patients = patients;
  }

  /**
   * Writes something, and waits until it is acknowledged.
   *
   * @returns what was written.
   * @throws Error if it is refused.
   */
  write(): Promise<Known[]> {
    const some = this.#random.maybe(this.#own);
    if (some && this.#own.length > mostKept) return this.#delete(some);
    const ways = [
      () => this.#create(),
      ...(some ? [() => this.#update(some), () => this.#delete(some), () => this.#transaction(some)] : []),
    ];
    return this.#random.of(ways)();
  }

  /** Writes more in one transaction than one of DynamoDB takes. */
  createMany(): Promise<Known[]> {
    const drafts = Array.from({ length: manyEntries }, () => this.#draft());
    return this.#commit(drafts.map(({ body, known }) => ({ method: 'POST', url: 'Observation', body, known })));
  }

  /** Deletes as many at once. */
  deleteMany(those: readonly Known[]): Promise<Known[]> {
    return this.#commit(
      those.map((known) => ({ method: 'DELETE', url: known.reference, known: { ...known, deleted: true } })),
    );
  }

  #draft(known: Omit<Known, 'reference'> = this.#unwritten()): {
    body: fhir4.Observation;
    known: Omit<Known, 'reference'>;
  } {
    const day = new Date(Date.UTC(2020, 0, 1 + this.#random.below(1_000))).toISOString().slice(0, 10);
    const body = observationBody(known.patient, {
      code: { coding: [{ system: codeSystem, code: known.word }] },
      identifier: [{ system: identifierSystem, value: known.number }],
      effectiveDateTime: day,
    });
    return { body, known };
  }

  #unwritten(): Omit<Known, 'reference'> {
    const number = this.#next();
    const { patient } = this.#random.of(this.#patients);
    return { patient, word: uniqueWord(number), number: `together-${number}`, deleted: false };
  }

  async #create(): Promise<Known[]> {
    const { body, known } = this.#draft();
    const created = await accepted(this.#ask('POST', 'Observation', body));
    return [this.#acknowledged({ ...known, reference: `Observation/${(created as { id: string }).id}` })];
  }

  async #update(known: Known): Promise<Known[]> {
    const { body, next } = this.#changed(known);
    this.#ledger.begin(known);
    await accepted(this.#ask('PUT', known.reference, body));
    return [this.#acknowledged(next)];
  }

  /** Another word and another date. */
  #changed(known: Known) {
    const next = { ...known, word: uniqueWord(this.#next()) };
    const id = known.reference.split('/')[1] ?? '';
    return { next, body: { ...this.#draft(next).body, id } };
  }

  async #delete(known: Known): Promise<Known[]> {
    this.#ledger.begin(known);
    await accepted(this.#ask('DELETE', known.reference));
    return [this.#acknowledged({ ...known, deleted: true })];
  }

  /** Creates one, changes one and deletes another, if there is one. */
  #transaction(some: Known): Promise<Known[]> {
    const { body: created, known } = this.#draft();
    const { body, next } = this.#changed(some);
    const other = this.#own.find(({ reference }) => reference !== some.reference);
    return this.#commit([
      { method: 'POST', url: 'Observation', body: created, known },
      { method: 'PUT', url: some.reference, body, known: next },
      ...(other ? [{ method: 'DELETE', url: other.reference, known: { ...other, deleted: true } }] : []),
    ]);
  }

  async #commit(
    entries: readonly {
      method: string;
      url: string;
      body?: object;
      known: Omit<Known, 'reference'> & { reference?: string };
    }[],
  ): Promise<Known[]> {
    for (const { known } of entries)
      if (known.reference !== undefined) this.#ledger.begin({ ...known, reference: known.reference });
    const entry = entries.map(({ method, url, body }) => ({
      request: { method, url },
      ...(body ? { resource: body } : {}),
    }));
    const answer = await accepted(this.#ask('POST', '', { resourceType: 'Bundle', type: 'transaction', entry }));
    const answers = (answer as fhir4.Bundle).entry ?? [];
    return entries.map(({ known }, index) => {
      const reference = known.reference ?? answers[index]?.response?.location?.split('/').slice(-4, -2).join('/') ?? '';
      return this.#acknowledged({ ...known, reference });
    });
  }

  #acknowledged(known: Known): Known {
    this.#ledger.acknowledge(known);
    const at = this.#own.findIndex(({ reference }) => reference === known.reference);
    if (at >= 0) this.#own.splice(at, 1);
    if (!known.deleted) this.#own.push(known);
    return known;
  }
}

/** Creates a patient, whom every writer may write about. */
export const createPatient = async (ask: Ask, ledger: Ledger, number: number): Promise<Known> => {
  const [word, value] = [uniqueWord(number), `together-${number}`];
  const body = patientBody({ name: [{ family: word }], identifier: [{ system: identifierSystem, value }] });
  const { id } = (await accepted(ask('POST', 'Patient', body))) as { id: string };
  const known = { reference: `Patient/${id}`, patient: `Patient/${id}`, word, number: value, deleted: false };
  ledger.acknowledge(known);
  return known;
};

const accepted = async (answer: ReturnType<Ask>): Promise<unknown> => {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return body;
};
