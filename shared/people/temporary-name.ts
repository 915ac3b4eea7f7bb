type Person = Pick<fhir4.Patient, 'name'>;

/** Whether somebody has told any name. A newborn's `Anonymous` counts: it is what staff call the patient. */
export const isNamed = ({ name = [] }: Person): boolean =>
  name.some(({ text, family, given = [] }) => [text, family, ...given].some((each) => (each ?? '').trim() !== ''));

/** The name that says who is meant now: `usual`, else `official`, else whichever has not ended. https://hl7.org/fhir/R4/datatypes.html#HumanName */
export const nameToUse = ({ name = [] }: Person): fhir4.HumanName | undefined => {
  const present = name.filter(({ use, period }) => use !== 'old' && use !== 'maiden' && period?.end === undefined);
  const of = (wanted: fhir4.HumanName['use']) => present.find(({ use }) => use === wanted);
  return of('usual') ?? of('official') ?? present[0];
};

/** `2026-11-27 09:14`, in UTC: the record has no zone of its own. */
const minuteOf = (now: number): string => new Date(now).toISOString().slice(0, 16).replace('T', ' ');

/**
 * A patient with a name for the time being (`use: temp`), by which staff find the record. Newborns have their mother's family name, and say which of
 * several they are; others have the minute.
 *
 * @param now - milliseconds since 1970.
 */
export const temporarilyNamed = (patient: fhir4.Patient, now: number, mother?: fhir4.Patient): fhir4.Patient => {
  const family = mother && nameToUse(mother)?.family;
  const { multipleBirthInteger: order } = patient;
  const name: fhir4.HumanName = family
    ? { use: 'temp', text: `Newborn ${order === undefined ? '' : `${order} `}${family}`, family }
    : { use: 'temp', text: `${mother ? 'Newborn' : 'Unidentified'} ${minuteOf(now)}` };
  return { ...patient, name: [name] };
};
