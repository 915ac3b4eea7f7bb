import { otherWayRound } from './compare.ts';
import { namesOf } from './names.ts';

/** Searches that one patient gives rise to. */
const mostSearches = 20;
/** Letters of a name by which it is filed. */
const shortestName = 3;

/** Searches, as name and value, that lead to whom a patient may be, the most telling ones first. None where too little is told. */
export const searchesFor = (patient: fhir4.Patient): (readonly [string, string])[] => {
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
