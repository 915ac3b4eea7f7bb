import { concept, consentBody, denial, hl7, recipient } from '../consents.ts';

// The Consents of the traffic, each with what it means, by hand. The table of docs/access.md, "What patients share", is all that this knows.

/** What a version of a record is to the model. */
export interface Facts {
  readonly type: string;
  /** Codes of confidentiality that it bears: nothing or `R`. */
  readonly labels: readonly string[];
  /** Whether it names the Patient with whom a merge has linked it: it is for other organisations as long as they are merged. */
  readonly linked?: boolean;
}

/** A Consent and what it comes to. */
export interface ConsentKind {
  readonly name: string;
  readonly body: (patient: string, to: readonly string[]) => fhir4.Consent;
  /** Whether it opens a record to an organisation. */
  readonly opens: (facts: Facts, organization: string, to: readonly string[]) => boolean;
  /** Whether it closes a record to an organisation, whatever opens it. */
  readonly closes: (facts: Facts, organization: string, to: readonly string[]) => boolean;
}

const actors = (to: readonly string[]): fhir4.ConsentProvisionActor[] =>
  to.map((organization) => recipient(`Organization/${organization}`));
const classOf = (code: string): fhir4.Coding[] => [{ system: 'http://hl7.org/fhir/resource-types', code }];
const restricted: fhir4.Coding[] = [{ system: `${hl7}v3-Confidentiality`, code: 'R' }];
const never = () => false;
const isPlain = ({ labels }: Facts): boolean => labels.length === 0;

const withoutProvision = ({ provision: _provision, ...consent }: fhir4.Consent): fhir4.Consent => consent;

/** A Consent that opens to what it names. */
const opening = (
  name: string,
  provision: fhir4.ConsentProvision,
  opens: ConsentKind['opens'],
  closes: ConsentKind['closes'] = never,
): ConsentKind => ({
  name,
  body: (patient, to) => consentBody(patient, { actor: actors(to), ...provision }),
  opens,
  closes,
});

export const consentKinds: readonly ConsentKind[] = [
  opening('everything', {}, (facts, organization, to) => isPlain(facts) && to.includes(organization)),
  opening(
    'observations',
    { class: classOf('Observation') },
    (facts, organization, to) => isPlain(facts) && facts.type === 'Observation' && to.includes(organization),
  ),
  opening('restricted as well', { securityLabel: restricted }, (_facts, organization, to) => to.includes(organization)),
  {
    name: 'to everybody',
    body: (patient) => withoutProvision(consentBody(patient)),
    opens: isPlain,
    closes: never,
  },
  opening(
    'all but conditions',
    { provision: [{ type: 'deny', class: classOf('Condition') }] },
    (facts, organization, to) => isPlain(facts) && facts.type !== 'Condition' && to.includes(organization),
    (facts, organization, to) => facts.type === 'Condition' && to.includes(organization),
  ),
  opening('over', { period: { end: '2020-01-01' } }, never),
  opening('not yet', { period: { start: '2199-01-01' } }, never),
  {
    name: 'closed',
    body: (patient) => ({ ...withoutProvision(consentBody(patient)), policyRule: concept('v3-ActCode', 'OPTOUT') }),
    opens: never,
    closes: () => true,
  },
  {
    name: 'no observations',
    body: (patient, to) => denial(patient, { actor: actors(to), class: classOf('Observation') }),
    opens: never,
    closes: (facts, organization, to) => facts.type === 'Observation' && to.includes(organization),
  },
];
