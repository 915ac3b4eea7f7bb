import { type Cell, saying } from '../../hl7-v2/told.ts';
import type { StoredRecord } from '../../store/rows.ts';

/** What of a person rarely changes; two of them at once hardly ever do. */
const lasting: readonly string[] = ['family', 'given', 'birthDate'];

/**
 * Whether a message tells of somebody else than the patient who bears its number, so that the number is likely to be mistyped: two of family name, given name and birth date are other ones, as `$match`
 * compares them. Who has married, or whose birth date was corrected, is the same person.
 *
 * @param described - what the message says of the patient; what it does not say is not compared.
 */
export const tellsOfSomebodyElse = async (described: readonly Cell[], { resource }: StoredRecord): Promise<boolean> => {
  const { matchPatients } = await import('../../matching/patients.lazy.ts');
  const { findings } = matchPatients(
    saying('Patient', described) as unknown as fhir4.Patient,
    resource as unknown as fhir4.Patient,
  );
  return findings.filter(({ field, level }) => lasting.includes(field) && level === 'different').length > 1;
};
