import type { Resource } from '../../fhir/resource.ts';

/** Whom somebody would like to come to: either, if undefined. */
export interface Whom {
  /** https://hl7.org/fhir/R4/valueset-administrative-gender.html */
  readonly gender: string | undefined;
  /** A BCP 47 tag, such as `es`. */
  readonly language: string | undefined;
}

/**
 * How many of these somebody is not known to meet: by `gender` and `communication` of a Practitioner, or `communication` of a HealthcareService. Who speaks `es-MX` speaks `es`.
 *
 * @param records - of the actor, and of who has the position.
 * @see https://hl7.org/fhir/R4/practitioner.html
 */
export const unsuited = (records: readonly Resource[], { gender, language }: Whom): number => {
  const tags = records.flatMap((record) => {
    const { communication = [] } = record as Partial<fhir4.Practitioner>;
    return communication.flatMap(({ coding = [] }) => coding.map(({ code = '' }) => code.toLowerCase()));
  });
  const wanted = language?.toLowerCase();
  const speaks = tags.some((tag) => tag === wanted || tag.startsWith(`${wanted}-`));
  const is = records.some((record) => (record as Partial<fhir4.Practitioner>).gender === gender);
  return (gender === undefined || is ? 0 : 1) + (wanted === undefined || speaks ? 0 : 1);
};
