import { emergencySystem, noticeCode } from '../../access/emergency.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { Broken } from './review.ts';

/** https://terminology.hl7.org/CodeSystem-v3-ParticipationMode.html */
const modes: Readonly<Record<string, string>> = {
  phone: 'PHONE',
  sms: 'SMSWRIT',
  email: 'EMAILWRIT',
  fax: 'FAXWRIT',
};

/** Others may read what comes there, or it is out of use. */
const unsafe: ReadonlySet<string | undefined> = new Set(['work', 'old', 'temp']);

/**
 * How a patient wants to be reached in confidence: by the telecom that has the first rank, of those in use that are the patient's own; by letter where there is
 * none. https://hl7.org/fhir/R4/datatypes.html#ContactPoint
 */
const channelOf = ({ telecom = [] }: fhir4.Patient, now: number): string => {
  const usable = telecom.filter(
    ({ system = '', value, use, period }) =>
      system in modes && value && !unsafe.has(use) && !(period?.end && Date.parse(period.end) < now),
  );
  const ranked = usable.toSorted((a, b) => (a.rank ?? Number.MAX_VALUE) - (b.rank ?? Number.MAX_VALUE));
  return modes[ranked[0]?.system ?? ''] ?? 'MAILWRIT';
};

/** What the patient is told: that it happened and where to look. Nothing of care, and not by whom: that is in the log. https://hl7.org/fhir/R4/communication.html */
export const noticeFor = (keeper: string, { patient, naming, now }: Broken): Resource => {
  const named = { reference: `Patient/${patient.id}` };
  const notice: fhir4.Communication = {
    resourceType: 'Communication',
    status: 'preparation',
    category: [{ coding: [{ system: emergencySystem, code: noticeCode, display: 'Notice of an emergency access' }] }],
    priority: 'routine',
    subject: named,
    recipient: [named],
    sender: naming(`Organization/${keeper}`),
    medium: [
      {
        coding: [
          {
            system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationMode',
            code: channelOf(patient.resource as unknown as fhir4.Patient, now),
          },
        ],
      },
    ],
    payload: [
      {
        contentString:
          'Somebody outside your usual care has opened your record in an emergency. It is being reviewed. Your access log shows who it was and what was looked at.',
      },
    ],
  };
  return notice as unknown as Resource;
};
