import { identifierSystem } from '../records.ts';
import type { Known, Ledger, Noted } from './ledger.ts';

/** Sends a request; `path` is relative to the base, or absolute as in a link. */
export type Ask = (
  method: string,
  path: string,
  body?: unknown,
) => Promise<{ readonly status: number; readonly body: unknown }>;

export const codeSystem = 'http://concord.test/together';

/** One kind of search, by what leads to its hits, made for a record. */
interface Kind {
  readonly name: string;
  /** Undefined if such a record cannot be looked for in this way. */
  readonly path: (known: Known) => string | undefined;
  /** Whether this search finds another record too. */
  readonly finds: (other: Known, known: Known) => boolean;
}

const isPatient = ({ reference, patient }: Known) => reference === patient;
const idOf = (reference: string) => reference.split('/')[1] ?? '';
const same = (other: Known, known: Known) => other.reference === known.reference;
const ofChart = (other: Known, known: Known) => other.patient === known.patient && !isPatient(other);
const ofObservation = (path: (known: Known) => string) => (known: Known) =>
  isPatient(known) ? undefined : path(known);
const ofPatient = (path: (known: Known) => string) => (known: Known) => (isPatient(known) ? path(known) : undefined);
const token = ({ word }: Known) => encodeURIComponent(`${codeSystem}|${word}`);
const typeOf = ({ reference }: Known) => reference.split('/')[0] ?? '';

/** One for each way in which a search is planned. */
export const kinds: readonly Kind[] = [
  { name: 'by id', path: (known) => `${typeOf(known)}?_id=${idOf(known.reference)}`, finds: same },
  {
    name: 'by identifier',
    path: (known) => `${typeOf(known)}?identifier=${encodeURIComponent(`${identifierSystem}|${known.number}`)}`,
    finds: same,
  },
  {
    name: 'in a chart',
    path: ofObservation((known) => `Observation?patient=${idOf(known.patient)}&code=${token(known)}`),
    finds: same,
  },
  {
    name: 'a chart, in pages',
    path: ofObservation(({ patient }) => `Observation?patient=${idOf(patient)}&_count=7`),
    finds: ofChart,
  },
  {
    name: 'a chart, sorted',
    path: ofObservation(({ patient }) => `Observation?patient=${idOf(patient)}&_sort=-date,_id&_count=1000`),
    finds: ofChart,
  },
  { name: 'by name', path: ofPatient(({ word }) => `Patient?family=${word}`), finds: same },
  { name: 'in every chart', path: ofObservation((known) => `Observation?code=${token(known)}`), finds: same },
  {
    name: 'by what the patient is called',
    path: ofObservation(({ patient }) => `Observation?subject:Patient._id=${idOf(patient)}&patient=${idOf(patient)}`),
    finds: ofChart,
  },
  {
    name: 'by what refers to it',
    path: ofObservation(
      (known) =>
        `Patient?_id=${idOf(known.patient)}&_has:Observation:patient:code=${token(known)}&_revinclude=Observation:patient`,
    ),
    // The patient is found if the observation is there, and with it all that is included.
    finds: (other, known) => other.patient === known.patient && !known.deleted,
  },
  {
    name: 'with what it refers to',
    path: ofObservation(({ reference }) => `Observation?_id=${idOf(reference)}&_include=Observation:subject`),
    finds: (other, known) => same(other, known) || (other.reference === known.patient && !known.deleted),
  },
];

/**
 * Looks for a record in one way, to the last page, and compares what is found with the ledger: what was acknowledged before the search
 * began and was left alone until it ended must be found if it is there, and must not be found if it is deleted or is not meant.
 *
 * @returns what is wrong, in words.
 */
export const look = async (ask: Ask, ledger: Ledger, kind: Kind, known: Noted): Promise<string[]> => {
  const path = kind.path(known);
  if (path === undefined) return [];
  const before = ledger.settled();
  const found = new Set<string>();
  const faults: string[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const { status, body } = await ask('GET', next);
    const { entry = [], link = [] } = body as fhir4.Bundle;
    if (status !== 200) return [`${kind.name}: ${status} ${JSON.stringify(body).slice(0, 300)}`];
    const onPage = entry.flatMap(({ resource, search }) =>
      search?.mode === 'outcome' ? [] : [`${resource?.resourceType}/${resource?.id}`],
    );
    if (new Set(onPage).size < onPage.length) faults.push(`${kind.name}: a record is twice on one page`);
    for (const reference of onPage) found.add(reference);
    next = link.find(({ relation }) => relation === 'next')?.url;
  }
  if (!ledger.isUntouched(known)) return faults;
  for (const other of before) {
    if (!ledger.isUntouched(other)) continue;
    const expected = !other.deleted && kind.finds(other, known);
    if (expected !== found.has(other.reference))
      faults.push(
        `${kind.name}: ${other.reference} ${expected ? 'is missing' : other.deleted ? 'is deleted and found' : 'is not meant and found'}`,
      );
  }
  return faults;
};

/** Whether a count of a record's only word is as it should be. */
export const count = async (ask: Ask, ledger: Ledger, known: Noted): Promise<string[]> => {
  if (isPatient(known)) return [];
  const { body } = await ask('GET', `Observation?patient=${idOf(known.patient)}&code=${token(known)}&_summary=count`);
  const { total } = body as fhir4.Bundle;
  if (!ledger.isUntouched(known) || total === Number(!known.deleted)) return [];
  return [`a count: ${known.reference} is counted ${total} times`];
};
