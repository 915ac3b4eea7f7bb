import type { Resource } from '../fhir/resource.ts';
import { takenUrl } from '../signing/signature.ts';

/** How orders are given that somebody else takes down, as `category` says it: there R4 has the type of a request. https://terminology.hl7.org/CodeSystem-v3-ParticipationMode.html */
export const manners = {
  verbal: { system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode', code: 'VERBAL', display: 'verbal' },
  telephone: {
    system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode',
    code: 'PHONE',
    display: 'telephone',
  },
  protocol: { system: 'https://concord.example/fhir/CodeSystem/order', code: 'protocol', display: 'By a protocol' },
} as const;
export type Given = keyof typeof manners;

export const isGiven = (given: string): given is Given => Object.hasOwn(manners, given);

interface Taken {
  /** `Type/id`. */
  readonly recorder: string;
  readonly prescriber: string;
  readonly given: Given;
  /** Milliseconds since 1970. */
  readonly due: number;
  readonly now: number;
}

/** An order that says who took it down, when, and how it was given. */
export const withManner = (
  order: Resource,
  { recorder, given, now }: Pick<Taken, 'recorder' | 'given' | 'now'>,
): Resource => {
  const { category = [], authoredOn } = order as unknown as fhir4.MedicationRequest;
  const codes = Object.values(manners).map(({ code }): string => code);
  const others = category.filter(({ coding = [] }) => !coding.some(({ code = '' }) => codes.includes(code)));
  return {
    ...order,
    authoredOn: authoredOn ?? new Date(now).toISOString(),
    recorder: { reference: recorder },
    category: [...others, { coding: [manners[given]] }],
  };
};

/** What the server keeps of it, whatever a client makes of the rest. */
export const takenMark = ({ recorder, prescriber, given, due, now }: Taken): fhir4.Extension => ({
  url: takenUrl,
  extension: [
    { url: 'by', valueReference: { reference: recorder } },
    { url: 'from', valueReference: { reference: prescriber } },
    { url: 'given', valueCode: given },
    { url: 'time', valueInstant: new Date(now).toISOString() },
    { url: 'due', valueInstant: new Date(due).toISOString() },
  ],
});
