import type { AuditEntry } from './audit-row.ts';

const participation = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';

/** What an AuditEvent says of a disclosure that was made outside, of a suspension, or of a legal hold. https://hl7.org/fhir/R4/auditevent.html */
export const recordedIn = ({
  disclosure,
  suspension,
  reason,
}: AuditEntry): {
  readonly elements: Pick<fhir4.AuditEvent, 'period' | 'purposeOfEvent' | 'outcomeDesc'>;
  readonly agents: readonly fhir4.AuditEventAgent[];
} => {
  if (disclosure) {
    const { recipient, address, date, description, purpose } = disclosure;
    return {
      elements: { period: { start: date }, purposeOfEvent: [{ text: purpose }], outcomeDesc: description },
      agents: [recipientOf(recipient, address)],
    };
  }
  if (!suspension) return { elements: reason === undefined ? {} : { purposeOfEvent: [{ text: reason }] }, agents: [] };
  const { recipient, organization, until, statement, oral } = suspension;
  const end = new Date(until).toISOString();
  return {
    elements: {
      outcomeDesc: `Not to be told until ${end}, by ${oral ? 'an oral' : 'a written'} statement: ${statement}`,
    },
    agents: [
      ...(recipient === undefined ? [] : [recipientOf(recipient)]),
      ...(organization === undefined
        ? []
        : [{ type, who: { reference: `Organization/${organization}` }, requestor: false }]),
    ],
  };
};

const type: fhir4.CodeableConcept = {
  coding: [{ system: participation, code: 'IRCP', display: 'information recipient' }],
};

const recipientOf = (recipient: string, address?: string): fhir4.AuditEventAgent => ({
  type,
  who: { display: address === undefined ? recipient : `${recipient}, ${address}` },
  name: recipient,
  requestor: false,
});
