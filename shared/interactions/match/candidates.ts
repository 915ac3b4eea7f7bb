import { inParallel } from '../../store/in-parallel.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { matching } from '../search/matching.ts';
import { openSearch } from '../search/open.ts';

/** Searches for candidates at the same time. */
const searchesAtOnce = 4;
/** Searches that one patient gives rise to. */
const mostSearches = 20;
/** Calls that one of them may take: some 500 patients of one name. */
const callsPerSearch = 10;
/** Letters of a name by which it is filed. */
const shortestName = 3;

/** Loaded when it is first needed. */
export type PatientMatching = typeof import('../../matching/patients.lazy.ts');

export interface Candidates {
  readonly records: readonly StoredRecord[];
  /** Names of search parameters by which more could be found than was looked at. */
  readonly cutShort: readonly string[];
}

/**
 * Patients who share with this one what the registry files: an identifier, the birth date, also with day and month in the other order, a family name or
 * a part of one, a telephone number or mail address. Only those that the caller may find, each once.
 */
export const candidatesFor = async (
  context: RequestContext,
  patient: fhir4.Patient,
  patientMatching: PatientMatching,
): Promise<Candidates> => {
  const found = new Map<string, StoredRecord>();
  const cutShort = new Set<string>();
  await inParallel(searchesAtOnce, searchesFor(patient, patientMatching), async ([name, value]) => {
    const { run, query, planned } = await openSearch(context, [[name, value]], { strict: true });
    const { plan, indexed } = await planned();
    if (!indexed) return;
    for await (const { record } of matching(run, context.recordType, { ...query, plan })) {
      if (record) found.set(record.id, record);
      if (run.calls > callsPerSearch) {
        cutShort.add(name);
        break;
      }
    }
  });
  return { records: [...found.values()], cutShort: [...cutShort] };
};

/** Searches that lead to candidates, the most telling ones first. */
const searchesFor = (
  patient: fhir4.Patient,
  { namesOf, otherWayRound }: PatientMatching,
): (readonly [string, string])[] => {
  const { identifier = [], birthDate, telecom = [] } = patient;
  const days = birthDate?.length === 10 ? [birthDate, otherWayRound(birthDate) ?? birthDate] : [];
  const families = namesOf(patient).flatMap(({ family, given }) =>
    family === '' ? given.slice(0, 1) : [family.replaceAll(' ', ''), ...family.split(' '), family],
  );
  const contacts = telecom.flatMap(({ system, value }) => (value && system ? [[system, value] as const] : []));
  const searches = [
    ...identifier.flatMap(({ value, system }) =>
      value && system ? [['identifier', `${literal(system)}|${literal(value)}`] as const] : [],
    ),
    ...days.map((day) => ['birthdate', day] as const),
    ...families.filter((name) => name.length >= shortestName).map((name) => ['name', name] as const),
    ...contacts.flatMap(([system, value]): (readonly [string, string])[] => {
      const digits = value.replace(/[^\d+]/g, '');
      if (system === 'email') return [['email', literal(value)] as const];
      return system === 'phone' || system === 'sms'
        ? [['phone', literal(value)] as const, ['phone', digits] as const]
        : [];
    }),
  ];
  return [...new Map(searches.map((search) => [search.join(' '), search])).values()].slice(0, mostSearches);
};

/** A value as a search has it. https://hl7.org/fhir/R4/search.html#escaping */
const literal = (text: string): string => text.replace(/[\\,|$]/g, '\\$&');
