// What patients' Consents come to, read from the resources themselves and written without a look at the code that it judges
// (https://hl7.org/fhir/R4/consent.html, docs/access.md). Whatever is not understood may mean something or not: all worlds are tried, and a record is
// shared if it is in each of them.

import { modelKeeper } from './relations.ts';

export interface ModelRecord {
  readonly type: string;
  readonly id: string;
  readonly custodian: string;
  readonly labels: readonly { readonly system: string; readonly code: string }[];
  /** Undefined for a deleted one. */
  readonly resource:
    | (
        | fhir4.Observation
        | fhir4.Condition
        | fhir4.ServiceRequest
        | fhir4.Provenance
        | fhir4.AllergyIntolerance
        | fhir4.Patient
        | fhir4.Consent
        | fhir4.Claim
      )
    | undefined;
}

export interface ModelReader {
  readonly organization: string;
  readonly fhirUser: string;
  readonly roles: readonly string[];
  readonly now: number;
}

export interface ModelConsent {
  readonly custodian: string;
  readonly consent: fhir4.Consent;
  /** Whether it was given in another chart, which a merge has made this person's. */
  readonly elsewhere?: boolean;
}

const isOfPayers = ({ system, code }: fhir4.Coding): boolean =>
  system === 'http://terminology.hl7.org/CodeSystem/v3-ActReason' && (code === 'HPAYMT' || code === 'HOPERAT');
const isAnyPurpose = ({ system, code }: fhir4.Coding): boolean =>
  system === 'http://terminology.hl7.org/CodeSystem/v3-ActReason' && code === 'PurposeOfUse';

type Outcome = 'permit' | 'deny' | 'none';
/** Answers whether something that is not understood holds in this world. */
type Oracle = () => boolean;

const hl7 = 'http://terminology.hl7.org/CodeSystem/';
const order = 'ULMNRV';
/** A sensitivity and the wider one that it is a kind of. */
const parents: Readonly<Record<string, string>> = {
  COGN: 'BH',
  DVD: 'BH',
  EMOTDIS: 'BH',
  BH: 'SPI',
  MH: 'SPI',
  PSY: 'SPI',
  PSYTHPN: 'SPI',
  SUD: 'SPI',
  ETHUD: 'SUD',
  OPIOIDUD: 'SUD',
};

/** What somebody has opened in an emergency. */
export interface ModelGrant {
  readonly to: string;
  readonly organization: string;
  readonly from: number;
  readonly until: number;
}

/** Whether an emergency opens a record to this reader: all but what tells who else treats the patient, and psychotherapy notes. */
export const isGrantedByModel = (
  grants: readonly ModelGrant[],
  reader: ModelReader & { readonly subject: string },
  record: ModelRecord,
): boolean =>
  isForOthers(record) &&
  grants.some(
    ({ to, organization, from, until }) =>
      to === reader.subject && organization === reader.organization && from <= reader.now && reader.now < until,
  );

/** The organisation of the small world that is a substance-use programme. */
export const modelProgramme = 'hillside';

/** Labels that what a record says comes to, or who keeps it: the codes of the small world that are sensitive, by hand. */
const labelsTold = ({ custodian, resource }: ModelRecord): { system: string; code: string }[] => {
  const text = JSON.stringify(resource ?? {});
  const codes = [];
  if (text.includes('"86406008"')) codes.push('HIV');
  if (text.includes('"F11.20"')) codes.push('ETH');
  if (text.includes('"44261-6"')) codes.push('PSY');
  if (custodian === modelProgramme) codes.push('42CFRPart2');
  return codes.map((code) => ({ system: `${hl7}v3-ActCode`, code }));
};

/** A consent to all that care needs, as the law on substance-use programmes has it. */
const isForAllCare = ({ purpose = [] }: fhir4.ConsentProvision): boolean =>
  ['TREAT', 'HPAYMT', 'HOPERAT'].every((each) =>
    purpose.some(({ system, code }) => system === `${hl7}v3-ActReason` && code === each),
  );

/**
 * Whether the reader may see the record in every world; undefined if there are too many to try.
 *
 * @param related - whether the reader's organisation has a care relationship as to what this custodian keeps.
 */
export const isSharedByModel = (
  consents: readonly ModelConsent[],
  reader: ModelReader,
  stored: ModelRecord,
  related = false,
): boolean | undefined => {
  const record = { ...stored, labels: [...stored.labels, ...labelsTold(stored)] };
  return isForOthers(record) && inEveryWorld((oracle) => isSharedIn(consents, reader, record, oracle, related));
};

/** Undefined if there are too many worlds to try. */
const inEveryWorld = (holds: (oracle: Oracle) => boolean): boolean | undefined => {
  const choices: boolean[] = [];
  for (let worlds = 0; worlds < 5_000; worlds++) {
    let asked = 0;
    const oracle = () => {
      if (asked === choices.length) choices.push(false);
      return choices[asked++] ?? false;
    };
    if (!holds(oracle)) return false;
    choices.length = asked;
    while (choices.at(-1) === true) choices.pop();
    if (choices.length === 0) return true;
    choices[choices.length - 1] = true;
  }
  return undefined;
};

/** Types of the small world that tell of care. */
const ofCare = ['Observation', 'Condition', 'ServiceRequest', 'AllergyIntolerance', 'Claim', 'Resource'];

/**
 * Whether a Consent may keep a claim from an organisation that it asks for payment: a provision that names it for payment or operations may deny it, whatever opens besides. Undefined if
 * there are too many worlds.
 */
export const isKeptFromPayerByModel = (
  { status, scope, policyRule, provision, ...rest }: fhir4.Consent,
  payer: string,
  claim: ModelRecord,
  now: number,
): boolean | undefined => {
  const reader = { organization: payer, fhirUser: '-', roles: ['system'], now };
  const codes = (policyRule?.coding ?? []).filter(({ system }) => system === `${hl7}v3-ActCode`);
  const opens =
    codes.some(({ code }) => code?.startsWith('OPTIN')) && !codes.some(({ code }) => code?.startsWith('OPTOUT'));
  const root = policyRule && !opens ? 'deny' : provision?.type;
  const actorsLeft = ({ actor = [], ...others }: fhir4.ConsentProvision) => ({
    ...others,
    actor: actor.filter((each) => roleOf(each) === 'CST'),
  });
  const outcomeOf = (each: fhir4.ConsentProvision, oracle: Oracle) =>
    new ConsentModel(reader, claim, oracle).outcome({ status, scope, ...rest, provision: { ...each, type: 'deny' } });
  const denies = (each: fhir4.ConsentProvision, type: string | undefined, oracle: Oracle): boolean => {
    const { purpose = [], class: types = [], data = [], ...about } = each;
    const names = (each.actor ?? []).some(
      (actor) =>
        ['PRCP', 'IRCP'].includes(roleOf(actor) ?? '') &&
        !actor.modifierExtension &&
        actor.reference.reference === `Organization/${payer}`,
    );
    if (type === 'deny' && names && purpose.some(isOfPayers) && !purpose.some(isAnyPurpose)) {
      const isCare = types.some(
        ({ system, code = '' }) => system !== 'http://hl7.org/fhir/resource-types' || ofCare.includes(code),
      );
      const referred = data.map((one) =>
        one.meaning === 'instance' ? { ...one, meaning: 'dependents' as const } : one,
      );
      const given = { ...about, class: isCare ? [] : types, data: referred };
      return outcomeOf(given, oracle) === 'deny';
    }
    const { actor, period, action, modifierExtension } = actorsLeft(each);
    const around = { actor, ...(period ? { period } : {}), ...(action ? { action } : {}) };
    const holds = outcomeOf({ ...around, ...(modifierExtension ? { modifierExtension } : {}) }, oracle) === 'deny';
    return holds && (each.provision ?? []).some((inner) => denies(inner, inner.type ?? 'deny', oracle));
  };
  const never = provision ? inEveryWorld((oracle) => !denies(provision, root, oracle)) : true;
  return never === undefined ? undefined : !never;
};

/** Whether a record is ever for other organisations. */
const isForOthers = (record: ModelRecord): boolean => {
  if (record.type === 'Consent') return false;
  // Where a Consent comes from tells as much of it; of what a deleted one told, nothing is known.
  if (record.type === 'Provenance' && (!record.resource || JSON.stringify(record.resource).includes('Consent/')))
    return false;
  return !record.labels.some(({ system, code }) => system === `${hl7}v3-ActCode` && code === 'PSYTHPN');
};

const isSharedIn = (
  consents: readonly ModelConsent[],
  reader: ModelReader,
  record: ModelRecord,
  oracle: Oracle,
  related: boolean,
): boolean => {
  let permitted = related && new ConsentModel(reader, record, oracle).isUnlabelled();
  for (const { custodian, consent, elsewhere } of consents) {
    // A guest of the chart decides about nothing but what it keeps itself.
    if (custodian !== modelKeeper && custodian !== record.custodian) continue;
    const outcome = new ConsentModel(reader, record, oracle).outcome(consent);
    if (outcome === 'deny') return false;
    // Nobody has opened this chart by what was said of the other one, which may be somebody else's after all.
    if (outcome === 'permit' && custodian === record.custodian && !elsewhere) permitted = true;
  }
  return permitted;
};

class ConsentModel {
  readonly #reader: ModelReader;
  readonly #record: ModelRecord;
  readonly #oracle: Oracle;

  constructor(reader: ModelReader, record: ModelRecord, oracle: Oracle) {
    this.#reader = reader;
    this.#record = record;
    this.#oracle = oracle;
  }

  isUnlabelled(): boolean {
    return this.#isNamed([]);
  }

  outcome({ status, scope, policyRule, provision, modifierExtension, implicitRules }: fhir4.Consent): Outcome {
    if (status !== 'active') return 'none';
    const scopes = (scope.coding ?? []).filter(({ system }) => system === `${hl7}consentscope`).map(({ code }) => code);
    const elsewhere = ['adr', 'research', 'treatment'].some((other) => scopes.includes(other));
    const here = scopes.includes('patient-privacy');
    if (elsewhere && !here) return 'none';
    const understood = here && !elsewhere && !modifierExtension && !implicitRules;
    if (!understood && !this.#oracle()) return 'none';
    const policies = (policyRule?.coding ?? [])
      .filter(({ system }) => system === `${hl7}v3-ActCode`)
      .map(({ code }) => code);
    const closes = policies.includes('OPTOUT') || policies.includes('OPTOUTE');
    const opens = policies.includes('OPTIN') || policies.includes('OPTINR');
    // A policy that nobody knows may be to close, or nothing.
    const unknown = policyRule !== undefined && !opens && !closes;
    if (closes || (unknown && this.#oracle())) {
      if (!this.#isNow(provision?.period)) return 'none';
      const exception = provision ? this.#rule(provision, undefined, []) : 'none';
      return exception === 'none' ? 'deny' : exception;
    }
    if (unknown && !this.#oracle()) return 'none';
    if (!provision) return opens && this.#isNamed([]) ? 'permit' : 'none';
    if (provision.type === 'deny') return this.#rule(provision, 'deny', []);
    if (opens) return this.#rule(provision, 'permit', []);
    return this.#oracle() ? this.#rule(provision, undefined, []) : 'none';
  }

  #rule(
    provision: fhir4.ConsentProvision,
    type: 'permit' | 'deny' | undefined,
    around: readonly fhir4.Coding[],
  ): Outcome {
    if (!this.#holds(provision, type === 'deny')) return 'none';
    const named = [...around, ...(provision.securityLabel ?? [])];
    if (isForAllCare(provision)) named.push({ system: `${hl7}v3-ActCode`, code: '42CFRPart2' });
    const exceptions = (provision.provision ?? []).map((nested) => this.#rule(nested, nested.type ?? 'deny', named));
    for (const outcome of ['deny', 'permit'] as const) if (exceptions.includes(outcome)) return outcome;
    if (type === 'permit') return this.#isNamed(named) ? 'permit' : 'none';
    return type ?? 'none';
  }

  /** What is labelled as sensitive must be named, all of it. */
  #isNamed(named: readonly fhir4.Coding[]): boolean {
    const isPart2 = ({ system, code }: fhir4.Coding) => system === `${hl7}v3-ActCode` && code === '42CFRPart2';
    const ofProgramme = this.#record.labels.some(isPart2) && named.some(isPart2);
    return this.#record.labels.every((label) => {
      if (label.system === `${hl7}v3-ActCode` && label.code === 'NORDSCLCD') return true;
      if (ofProgramme && ['ETH', 'SUD', 'ETHUD', 'OPIOIDUD'].includes(label.code)) return true;
      if (label.system === `${hl7}v3-ObservationValue`) return true;
      if (label.system === `${hl7}v3-ActReason` && (label.code === 'TREAT' || label.code === 'HTEST')) return true;
      if (label.system === `${hl7}v3-Confidentiality` && order.indexOf(label.code) <= order.indexOf('N')) return true;
      return named.some((each) =>
        label.system === `${hl7}v3-Confidentiality` && each.system === label.system
          ? order.indexOf(each.code ?? '-') >= order.indexOf(label.code)
          : includes(each, label),
      );
    });
  }

  #holds(provision: fhir4.ConsentProvision, denies: boolean): boolean {
    const { actor, action, securityLabel, purpose, code, data, modifierExtension } = provision;
    return (
      this.#isAction(action) &&
      (!modifierExtension || this.#oracle()) &&
      this.#isNow(provision.period) &&
      this.#any(
        actor?.filter((each) => roleOf(each) !== 'CST'),
        (each) => this.#isRecipient(each),
      ) &&
      this.#any(
        actor?.filter((each) => roleOf(each) === 'CST'),
        (each) => this.#isCustodian(each),
      ) &&
      ((denies && this.#isToldAsPayer(actor, purpose)) || this.#isPurpose(purpose)) &&
      this.#any(securityLabel, (label) => (label.system && label.code ? this.#bears(label, denies) : 'unknown')) &&
      this.#any(provision.class, ({ system, code: name }) => {
        if (system !== 'http://hl7.org/fhir/resource-types') return 'unknown';
        return name === 'Resource' || name === this.#record.type;
      }) &&
      this.#any(code, (concept) => this.#says(concept, denies)) &&
      this.#isGivenWithin(provision.dataPeriod, denies) &&
      this.#any(data, (each) => this.#isData(each))
    );
  }

  /** Whether any of what an element names holds; all if it names nothing. */
  #any<T>(named: readonly T[] | undefined, holds: (each: T) => boolean | 'unknown'): boolean {
    if (!named || named.length === 0) return true;
    const answers = named.map(holds);
    return answers.includes(true) || (answers.includes('unknown') && this.#oracle());
  }

  #isAction(actions: readonly fhir4.CodeableConcept[] | undefined): boolean {
    return this.#any(actions, ({ coding }) => {
      const named = (coding ?? []).filter(({ system }) => system === `${hl7}consentaction`).map(({ code }) => code);
      if (named.includes('access') || named.includes('disclose')) return true;
      return named.length > 0 && named.every((code) => code === 'collect' || code === 'correct') ? false : 'unknown';
    });
  }

  #isNow({ start, end }: fhir4.Period = {}): boolean {
    const { now } = this.#reader;
    return (!start || now >= Date.parse(start)) && (!end || now < endOf(end));
  }

  #isRecipient(actor: fhir4.ConsentProvisionActor): boolean | 'unknown' {
    const { reference = '' } = actor.reference;
    if (actor.modifierExtension) return 'unknown';
    if (roleOf(actor) !== 'PRCP' && roleOf(actor) !== 'IRCP') return 'unknown';
    if (!/^(Organization|Practitioner|RelatedPerson|Device)\//.test(reference)) return 'unknown';
    return reference === `Organization/${this.#reader.organization}` || reference === this.#reader.fhirUser;
  }

  #isCustodian({ modifierExtension, reference: { reference = '' } }: fhir4.ConsentProvisionActor): boolean | 'unknown' {
    if (modifierExtension) return 'unknown';
    return reference.startsWith('Organization/') ? reference === `Organization/${this.#record.custodian}` : 'unknown';
  }

  /** Whoever works for a payer is denied what the payer is denied for payment or operations. */
  #isToldAsPayer(actors: fhir4.ConsentProvision['actor'] = [], purposes: readonly fhir4.Coding[] = []): boolean {
    const named = actors.some(
      (actor) =>
        ['PRCP', 'IRCP'].includes(roleOf(actor) ?? '') &&
        !actor.modifierExtension &&
        actor.reference.reference === `Organization/${this.#reader.organization}`,
    );
    return named && purposes.some(isOfPayers) && !purposes.some(isAnyPurpose);
  }

  #isPurpose(purposes: readonly fhir4.Coding[] | undefined): boolean {
    if (purposes?.some(isAnyPurpose)) return true;
    const treats = this.#reader.roles.every((role) => ['physician', 'nurse', 'pharmacist', 'lab'].includes(role));
    return this.#any(purposes, ({ system, code }) => {
      if (!treats || system !== `${hl7}v3-ActReason` || code === 'ETREAT') return 'unknown';
      return code === 'TREAT';
    });
  }

  #bears(label: fhir4.Coding, denies: boolean): boolean {
    const { labels } = this.#record;
    if (label.system === `${hl7}v3-Confidentiality`) {
      const own = labels.filter(({ system }) => system === label.system).map(({ code }) => order.indexOf(code));
      const highest = own.length === 0 ? order.indexOf('N') : Math.max(...own);
      const level = order.indexOf(label.code ?? '');
      return denies ? highest >= level || own.includes(level) : highest <= level || own.includes(level);
    }
    return labels.some((each) => includes(label, each));
  }

  #says({ coding = [] }: fhir4.CodeableConcept, denies: boolean): boolean | 'unknown' {
    const { resource } = this.#record;
    const codes = coding.filter(({ system, code }) => system && code);
    if (!resource || codes.length === 0) return 'unknown';
    const { component, item, ...own } = resource as fhir4.Observation & Partial<Pick<fhir4.Claim, 'item'>>;
    const text = JSON.stringify(denies ? { component, item, ...own } : own);
    return codes.some(({ system, code }) => text.includes(`{"system":"${system}","code":"${code}"}`));
  }

  #isGivenWithin(period: fhir4.Period | undefined, denies: boolean): boolean {
    if (!period?.start && !period?.end) return true;
    const { resource } = this.#record;
    const { effectiveDateTime, onsetDateTime, abatementDateTime, authoredOn, occurrenceDateTime, billablePeriod } =
      (resource ?? {}) as Partial<Record<string, string>> & Pick<fhir4.Claim, 'billablePeriod'>;
    const over = effectiveDateTime ?? abatementDateTime ?? occurrenceDateTime ?? billablePeriod?.end;
    const told = [effectiveDateTime ?? onsetDateTime ?? authoredOn ?? billablePeriod?.start, over].filter(
      (time) => time !== undefined,
    );
    if (told.length === 0) return this.#oracle();
    // In whatever order the record tells of them.
    const first = Math.min(...told.map((time) => Date.parse(time)));
    const last = over === undefined ? undefined : Math.max(...told.map(endOf));
    const from = period.start ? Date.parse(period.start) : Number.NEGATIVE_INFINITY;
    const to = period.end ? endOf(period.end) : Number.POSITIVE_INFINITY;
    if (denies) return first < to && (last === undefined || last > from);
    return first >= from && first < to && (last === undefined || last <= to);
  }

  #isData({
    meaning,
    modifierExtension,
    reference: { reference = '' },
  }: fhir4.ConsentProvisionData): boolean | 'unknown' {
    const { type, id, resource } = this.#record;
    if (modifierExtension || meaning === 'authoredby') return 'unknown';
    if (reference === `${type}/${id}`) return true;
    if (meaning === 'instance') return false;
    if (meaning === 'related' || !resource) return 'unknown';
    const text = JSON.stringify(resource);
    if (text.includes(`"reference":"${reference}"`)) return true;
    // On a server that may be this one, by another name.
    return text.includes(`/${reference}"`) || text.includes(`/${reference}/_history/`) ? 'unknown' : false;
  }
}

const roleOf = ({ role }: fhir4.ConsentProvisionActor): string | undefined =>
  role.coding?.find(({ system }) => system === `${hl7}v3-ParticipationType`)?.code;

/** The first moment after what a date or a time to the second may mean. */
const endOf = (date: string): number => Date.parse(date) + (date.length === 10 ? 86_400_000 : 1_000);

/** Whether a label is another one, or a kind of it. */
const includes = (wide: fhir4.Coding, narrow: { readonly system: string; readonly code: string }): boolean => {
  if (wide.system !== narrow.system) return false;
  const kinds = narrow.system === `${hl7}v3-ActCode`;
  for (let code: string | undefined = narrow.code; code !== undefined; code = kinds ? parents[code] : undefined)
    if (code === wide.code) return true;
  return false;
};
