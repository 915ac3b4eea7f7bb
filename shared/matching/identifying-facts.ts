import { foldText } from '../search/fold.ts';

/** Whether somebody has what a description tells, for each kind of fact that tells people apart. */
type Fact = (patient: fhir4.Patient) => boolean;

const whole = /^\d{4}-\d{2}-\d{2}$/;

const namesIn = ({ name = [] }: fhir4.Patient) =>
  name.flatMap(({ family, given = [] }) =>
    family === undefined || given[0] === undefined ? [] : [`${foldText(given[0])} ${foldText(family)}`],
  );

const identifiersIn = ({ identifier = [] }: fhir4.Patient) =>
  identifier.flatMap(({ system, value }) => (system && value ? [`${system}|${value}`] : []));

/** Telephone numbers by their digits. */
const contactsIn = ({ telecom = [] }: fhir4.Patient) =>
  telecom.flatMap(({ system, value }) => {
    if (!value) return [];
    return [system === 'email' ? value.toLowerCase() : value.replace(/\D/g, '')].filter((text) => text !== '');
  });

/** Facts by which a person is told from others. Of several values of one kind, the patient has each: a list of guesses is none. */
export const identifyingFacts = (described: fhir4.Patient): readonly Fact[] => {
  const facts: Fact[] = [];
  for (const valuesIn of [identifiersIn, namesIn, contactsIn]) {
    const told = valuesIn(described);
    if (told.length > 0) facts.push((patient) => told.every((value) => valuesIn(patient).includes(value)));
  }
  const { birthDate } = described;
  if (birthDate !== undefined && whole.test(birthDate)) facts.push((patient) => patient.birthDate === birthDate);
  return facts;
};
