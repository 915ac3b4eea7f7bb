import { isDeepStrictEqual } from 'node:util';
import { withSpellingOf } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { dateInterval } from '../search/date-range.ts';

// How a patient wants to be reached. A patient may ask to be reached by another way or at another place than others would choose, and a provider has to comply where that is reasonable:
// https://www.ecfr.gov/current/title-45/section-164.522#p-164.522(b). R4 has no element for it, so a telephone number, an address of mail or a postal address says it in an extension.

/** Of a ContactPoint or an Address: `confidential`, the patient is reached in this way and no other; `do-not-use`, not in this way. */
const restrictionUrl = 'https://concord.example/fhir/StructureDefinition/contact-restriction';

/** Of a message: the ContactPoint or Address to which it goes. */
const contactUrl = 'https://concord.example/fhir/StructureDefinition/contact-used';

type Element = fhir4.ContactPoint | fhir4.Address;

const restrictionOf = ({ extension = [] }: Element): string | undefined =>
  extension.find(({ url }) => url === restrictionUrl)?.valueCode;

const isConfidential = (element: Element): boolean => restrictionOf(element) === 'confidential';

/** Whether it is in use: not an old one, and within its period. */
const isInUse = ({ use, period: { start, end } = {} }: Element, now: number): boolean =>
  use !== 'old' &&
  !((dateInterval(start ?? '')?.start ?? now) > now) &&
  !((dateInterval(end ?? '')?.end ?? now + 1) <= now);

/** Ways by which somebody is reached. */
export type Way = 'phone' | 'sms' | 'email' | 'fax' | 'mail' | 'other';

/** One way of reaching a patient. */
export interface Channel {
  readonly ways: readonly Way[];
  readonly confidential: boolean;
  readonly telecom?: fhir4.ContactPoint;
  readonly address?: fhir4.Address;
}

const waysOf = ({ system = 'other', use }: fhir4.ContactPoint): readonly Way[] => {
  if (system === 'phone') return use === 'mobile' ? ['phone', 'sms'] : ['phone'];
  return system === 'sms' || system === 'email' || system === 'fax' ? [system] : ['other'];
};

/** All ways by which a patient may be reached now, those first that the patient prefers. */
const allOf = ({ telecom = [], address = [] }: fhir4.Patient, now: number): readonly Channel[] => [
  ...telecom
    .filter((each) => isInUse(each, now) && each.value !== undefined)
    .sort((one, other) => (one.rank ?? Number.POSITIVE_INFINITY) - (other.rank ?? Number.POSITIVE_INFINITY) || 0)
    .map((each) => ({ ways: waysOf(each), confidential: isConfidential(each), telecom: each })),
  ...address
    .filter((each) => isInUse(each, now))
    .map((each): Channel => ({ ways: ['mail'], confidential: isConfidential(each), address: each })),
];

/**
 * By which ways a patient is to be reached now: those that the patient has asked for, and no others, or all that may be used, the preferred first.
 *
 * @param now - milliseconds since 1970.
 */
export const channelsOf = (patient: fhir4.Patient, now: number): readonly Channel[] => {
  const all = allOf(patient, now);
  const asked = all.filter(({ confidential }) => confidential);
  if (asked.length > 0) return asked;
  return all.filter(({ telecom, address }) => restrictionOf((telecom ?? address) as Element) !== 'do-not-use');
};

const modes = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode';
const work = 'https://concord.example/fhir/CodeSystem/work';

/** The way that each medium of a message goes; `here` is in the record itself, or face to face, which needs no address. Read as a table in docs/people.md. */
export const ways: readonly { readonly system: string; readonly code: string; readonly way: Way | 'here' }[] = [
  { system: modes, code: 'PHONE', way: 'phone' },
  { system: work, code: 'sms', way: 'sms' },
  { system: modes, code: 'EMAILWRIT', way: 'email' },
  { system: modes, code: 'FAXWRIT', way: 'fax' },
  { system: modes, code: 'MAILWRIT', way: 'mail' },
  { system: modes, code: 'HANDWRIT', way: 'mail' },
  { system: modes, code: 'TYPEWRIT', way: 'mail' },
  { system: modes, code: 'ONLINEWRIT', way: 'here' },
  { system: modes, code: 'FACE', way: 'here' },
];

const wayOf = ({ coding = [] }: fhir4.CodeableConcept): Way | 'here' =>
  ways.find((each) => coding.some(({ system, code }) => system === each.system && code === each.code))?.way ?? 'other';

/** What of a message tells how it goes. */
type Sent = Pick<fhir4.Communication, 'medium' | 'extension'>;

const usedBy = ({ extension = [] }: Sent): readonly fhir4.Extension[] =>
  extension.filter(({ url }) => url === contactUrl);

const digits = ({ value = '' }: fhir4.ContactPoint): string => value.replace(/[\s().-]/g, '').toLowerCase();

const isSame = ({ telecom, address }: Channel, { valueContactPoint, valueAddress }: fhir4.Extension): boolean =>
  (telecom !== undefined && valueContactPoint !== undefined && digits(telecom) === digits(valueContactPoint)) ||
  (address !== undefined &&
    valueAddress !== undefined &&
    address.postalCode === valueAddress.postalCode &&
    isDeepStrictEqual(address.line, valueAddress.line));

/**
 * Whether a message goes another way than the one that its patient has asked for. Where the patient can be reached by the same way at several places, it has to say at which: else nobody knows. A medium that is not understood is another way.
 *
 * @param now - milliseconds since 1970.
 */
export const goesAnotherWay = (message: Sent, patient: fhir4.Patient, now: number): boolean => {
  const all = allOf(patient, now);
  const asked = all.filter(({ confidential }) => confidential);
  if (asked.length === 0) return false;
  const used = usedBy(message);
  const isStray = used.some((place) => !asked.some((channel) => isSame(channel, place)));
  return (message.medium ?? []).map(wayOf).some((way) => {
    if (way === 'here') return false;
    const isFor = ({ ways: own }: Channel) => own.includes(way);
    const meant = used.length > 0 ? asked.filter((channel) => used.some((place) => isSame(channel, place))) : asked;
    const isAmbiguous = used.length === 0 && all.some((channel) => !channel.confidential && isFor(channel));
    return isStray || isAmbiguous || !meant.some(isFor);
  });
};

/** https://hl7.org/fhir/R4/extension-patient-interpreterrequired.html */
const interpreterUrl = 'http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired';

/** In which language to speak with a patient, and whether that needs an interpreter: undefined where nobody has said. */
export const languageOf = ({
  communication = [],
  extension = [],
}: fhir4.Patient): {
  readonly language: fhir4.CodeableConcept | undefined;
  readonly interpreter: boolean | undefined;
} => ({
  language: (communication.find(({ preferred }) => preferred) ?? communication[0])?.language,
  interpreter: extension.find(({ url }) => url === interpreterUrl)?.valueBoolean,
});

/**
 * A record without what it says of confidential ways to reach the patient, for who acts for a minor; itself, if it says nothing of that. A narrative may say it in words. Pure.
 */
export const withoutConfidential = (resource: Resource): Resource => {
  const { resourceType } = resource;
  if (resourceType === 'Communication' || resourceType === 'CommunicationRequest') {
    const { extension = [] } = resource as unknown as fhir4.Communication;
    return extension.some(({ url }) => url === contactUrl)
      ? without(resource, { extension: extension.filter(({ url }) => url !== contactUrl) })
      : resource;
  }
  if (resourceType !== 'Patient') return resource;
  const { telecom = [], address = [] } = resource as unknown as fhir4.Patient;
  if (![...telecom, ...address].some(isConfidential)) return resource;
  const open = <E extends Element>(list: readonly E[]) => list.filter((each) => !isConfidential(each));
  return without(resource, { telecom: open(telecom), address: open(address) });
};

const without = (resource: Resource, lists: Readonly<Record<string, readonly unknown[]>>): Resource => {
  const { text: _narrative, ...rest } = resource;
  const kept = Object.entries({ ...rest, ...lists }).filter(
    ([name, list]) => !(name in lists) || (list as []).length > 0,
  );
  return withSpellingOf(Object.fromEntries(kept) as unknown as Resource, resource);
};
