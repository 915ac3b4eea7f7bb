import { createHash } from 'node:crypto';

// Every resource that is written carries a text of its own, so that whoever reads it knows which write it came from.

const url = 'https://kills.example/mark';
/** Identifiers by which the records of one write are found: a patient's first mark, or the key of a conditional create. */
export const markSystem = 'https://kills.example/key';

type Marked = fhir4.FhirResource & { extension?: fhir4.Extension[] };

/** The resource with a mark instead of the one that it had. */
export const marked = <T extends fhir4.FhirResource>(resource: T, mark: string): T => ({
  ...resource,
  extension: [
    ...((resource as Marked).extension ?? []).filter((extension) => extension.url !== url),
    { url, valueString: mark },
  ],
});

/** The mark of a resource; of one whose large content is not the one that belongs to its mark, that it is damaged. */
export const markOf = (resource: fhir4.FhirResource | undefined): string | undefined => {
  const mark = (resource as Marked | undefined)?.extension?.find((extension) => extension.url === url)?.valueString;
  if (mark === undefined || !isLarge(mark)) return mark;
  const data = (resource as fhir4.DocumentReference).content[0]?.attachment.data;
  return data === largeData(mark) ? mark : `${mark}, damaged`;
};

/** Marks of versions whose body is too large for a row. */
export const isLarge = (mark: string): boolean => mark.endsWith('-large');

/** Bytes that follow from a mark and cannot be compressed, in base 64: more than a row takes. */
const largeData = (mark: string): string =>
  Buffer.concat(
    Array.from({ length: 1_500 }, (_, index) => createHash('sha512').update(`${mark} ${index}`).digest()),
  ).toString('base64');

/** An identifier that only this record has. */
export const identified = (value: string): fhir4.Identifier[] => [{ system: markSystem, value }];

/** A family name that follows from a mark: twelve letters, no two marks alike. */
export const familyOf = (mark: string): string =>
  [...createHash('sha256').update(mark).digest().subarray(0, 12)]
    .map((byte, index) => String.fromCharCode((index === 0 ? 65 : 97) + (byte % 26)))
    .join('');

/** A patient whose name follows from the mark. */
export const patientWith = (mark: string, key: string): fhir4.Patient =>
  marked(
    {
      resourceType: 'Patient',
      identifier: identified(key),
      name: [{ family: familyOf(mark), given: ['Ann'] }],
      gender: 'female',
      birthDate: '1980-02-03',
    },
    mark,
  );

/**
 * @param patient - reference to the patient.
 * @param date - a day; where it changes, charts show the record elsewhere.
 */
export const observationWith = (mark: string, patient: string, date = '2024-05-06'): fhir4.Observation =>
  marked(
    {
      resourceType: 'Observation',
      status: 'final',
      code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
      subject: { reference: patient },
      effectiveDateTime: `${date}T07:08:09Z`,
      valueQuantity: { value: 72, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' },
    },
    mark,
  );

/** @param patient - reference to the patient. */
export const documentWith = (mark: string, patient: string): fhir4.DocumentReference =>
  marked(
    {
      resourceType: 'DocumentReference',
      status: 'current',
      subject: { reference: patient },
      content: [{ attachment: { contentType: 'application/octet-stream', data: largeData(mark) } }],
    },
    mark,
  );

/** Times of one physician on one day for which all lanes of a round compete: every second one overlaps both of its neighbours. */
export const slots = [0, 1, 2, 3, 4, 5, 6] as const;
const slotMinutes = 20;

/** The slot that an appointment's mark says; undefined for other marks. */
export const slotOf = (mark: string | undefined): number | undefined => {
  const [, slot] = /-slot(\d)$/.exec(mark ?? '') ?? [];
  return slot === undefined ? undefined : Number(slot);
};

/** @param patient - reference to the patient. */
export const appointmentWith = (mark: string, patient: string, round: number): fhir4.Appointment => {
  const start = Date.UTC(2030, 0, round, 9) + (slotOf(mark) ?? 0) * (slotMinutes / 2) * 60_000;
  return marked(
    {
      resourceType: 'Appointment',
      status: 'booked',
      start: new Date(start).toISOString(),
      end: new Date(start + slotMinutes * 60_000).toISOString(),
      participant: [patient, 'Practitioner/northside-physician'].map((reference) => ({
        actor: { reference },
        status: 'accepted',
      })),
    },
    mark,
  );
};
