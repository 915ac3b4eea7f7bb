import type { KeptValueSet } from './us-core-profiles.ts';

const adminGender = 'http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender';
const nullFlavor = 'http://terminology.hl7.org/CodeSystem/v3-NullFlavor';
const raceAndEthnicity = 'urn:oid:2.16.840.1.113883.6.238';

/** Value sets of the Value Set Authority Center by their OIDs: their codes by system; null where it is not known which of a system's codes. */
const published: Readonly<Record<string, Readonly<Record<string, readonly string[] | null>>>> = {
  // ONC Administrative Sex
  '2.16.840.1.113762.1.4.1': { [adminGender]: ['F', 'M'] },
  // Unknown or refused to answer
  '2.16.840.1.113762.1.4.1021.102': { [nullFlavor]: ['ASKU', 'UNK'] },
  // Other or unknown or refused to answer
  '2.16.840.1.113762.1.4.1021.103': { [nullFlavor]: ['ASKU', 'OTH', 'UNK'] },
  // Race Category Excluding Nulls, and the same for exclusion: the five of OMB's Directive 15 of 1997
  '2.16.840.1.114222.4.11.836': { [raceAndEthnicity]: ['1002-5', '2028-9', '2054-5', '2076-8', '2106-3'] },
  '2.16.840.1.113883.3.2074.1.1.3': { [raceAndEthnicity]: ['1002-5', '2028-9', '2054-5', '2076-8', '2106-3'] },
  // Ethnicity
  '2.16.840.1.114222.4.11.837': { [raceAndEthnicity]: ['2135-2', '2186-5'] },
  // Race, and Detailed Ethnicity: some hundreds of the codes of CDC's code system
  '2.16.840.1.113883.1.11.14914': { [raceAndEthnicity]: null },
  '2.16.840.1.114222.4.11.877': { [raceAndEthnicity]: null },
  // Federal Administrative Sex: female, male, unknown, asked and declined, as US Core 6.1.0 describes it
  '2.16.840.1.113762.1.4.1240.3': {
    'http://snomed.info/sct': ['184115007', '248152002', '248153007'],
    'http://terminology.hl7.org/CodeSystem/data-absent-reason': ['asked-declined'],
  },
};

/**
 * Small value sets that US Core's required bindings draw on and whose codes its guide does not list. Others of the authority are not held.
 *
 * @see https://vsac.nlm.nih.gov
 */
export const vsacValueSets: readonly KeptValueSet[] = Object.entries(published).map(([oid, systems]) => ({
  url: `http://cts.nlm.nih.gov/fhir/ValueSet/${oid}`,
  compose: {
    include: Object.entries(systems).map(([system, codes]) => ({
      system,
      // a system of which no concepts are named is not held either
      ...(codes === null ? {} : { concept: codes.map((code) => ({ code })) }),
    })),
  },
}));
