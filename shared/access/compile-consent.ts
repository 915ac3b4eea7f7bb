import { isResourceType, parseReference } from '../fhir/references.ts';
import { dateInterval } from '../search/date-range.ts';
import { type Rule, type Span, unclear } from './directive.ts';

const terminology = 'http://terminology.hl7.org/CodeSystem/';
const actCode = `${terminology}v3-ActCode`;

/** https://hl7.org/fhir/R4/valueset-consent-scope.html: these are about something else than who may see records. */
const otherScopes: ReadonlySet<string> = new Set(['adr', 'research', 'treatment']);

/** https://hl7.org/fhir/R4/valueset-consent-policy.html and v3-ActCode: what a base rule is, as far as it says so. */
const baseRules: Readonly<Record<string, 'permit' | 'deny'>> = {
  OPTIN: 'permit',
  OPTINR: 'permit', // with restrictions: these are nested
  OPTOUT: 'deny',
  OPTOUTE: 'deny', // with exceptions
};

/**
 * What a Consent comes to for other organisations; undefined if nothing: it is not active, or about something else. What is not understood opens
 * nothing and closes more.
 *
 * @param baseUrl - of this server, for absolute references.
 * @see https://hl7.org/fhir/R4/consent.html
 */
export const compileConsent = (consent: fhir4.Consent, baseUrl: string): Rule | undefined => {
  if (consent.status !== 'active') return undefined;
  const scopes = codesIn(consent.scope, `${terminology}consentscope`);
  const isPrivacy = scopes.includes('patient-privacy');
  const isOther = scopes.some((scope) => otherScopes.has(scope));
  if (isOther && !isPrivacy) return undefined;
  const rule = baseRule(consent, baseUrl);
  const understood = isPrivacy && !isOther && !isModified(consent);
  return understood || !rule ? rule : { unclear: true, rules: [rule] };
};

/** Elements that change the meaning of what they stand in, and are not known. https://hl7.org/fhir/R4/extensibility.html#modifierExtension */
const isModified = ({ modifierExtension, implicitRules }: Pick<fhir4.Consent, 'modifierExtension' | 'implicitRules'>) =>
  modifierExtension !== undefined || implicitRules !== undefined;

/**
 * `policyRule` OPTIN opens to what the root provision names, OPTOUT closes all; nested provisions are exceptions. R4 gives the root no type. One that is
 * there all the same can close, and not open. A policy that is not known may be OPTOUT.
 */
const baseRule = ({ policyRule, provision }: fhir4.Consent, baseUrl: string): Rule | undefined => {
  const codes = codesIn(policyRule, actCode).flatMap((code) => baseRules[code] ?? []);
  const base = codes.includes('deny') ? 'deny' : codes[0];
  const known = base !== undefined || policyRule === undefined;
  if (known && base !== 'deny' && provision?.type === 'deny') return ruleOf(provision, 'deny', baseUrl);
  if (base === 'permit') return provision ? ruleOf(provision, 'permit', baseUrl) : { type: 'permit' };
  const exceptions = provision && ruleOf(provision, undefined, baseUrl);
  if (known && base !== 'deny') return exceptions && { unclear: true, rules: [exceptions] };
  const period = spanOf(provision?.period);
  return {
    type: 'deny',
    ...(known ? {} : { unclear: true }),
    ...(period && period !== unclear ? { period } : {}),
    ...(exceptions ? { rules: [exceptions] } : {}),
  };
};

/** A provision, and those within it; undefined if it is not about reading. */
const ruleOf = (
  provision: fhir4.ConsentProvision,
  type: 'permit' | 'deny' | undefined,
  baseUrl: string,
): Rule | undefined => {
  const reading = isReading(provision.action);
  if (reading === false) return undefined;
  const { recipients, custodians } = actorsOf(provision.actor, baseUrl);
  const [period, dates] = [spanOf(provision.period), spanOf(provision.dataPeriod)];
  const modified =
    reading === unclear || period === unclear || dates === unclear || provision.modifierExtension !== undefined;
  const rules = (provision.provision ?? []).flatMap(
    // A nested provision has a type; where there is none, it may be a deny.
    (nested) => ruleOf(nested, nested.type === 'permit' ? 'permit' : 'deny', baseUrl) ?? [],
  );
  return {
    ...(type === undefined ? {} : { type }),
    ...(modified ? { unclear: true } : {}),
    ...(period === undefined || period === unclear ? {} : { period }),
    ...named('recipients', recipients),
    ...named('custodians', custodians),
    ...named('purposes', purposesOf(provision.purpose)),
    ...named('labels', labelsOf(provision.securityLabel)),
    ...named('types', typesOf(provision.class)),
    ...named('codes', conceptsOf(provision.code)),
    ...(dates === undefined || dates === unclear ? {} : { dates }),
    ...named('data', dataOf(provision.data, baseUrl)),
    ...(rules.length > 0 ? { rules } : {}),
  };
};

const named = (element: keyof Rule, names: readonly string[]): Rule =>
  names.length === 0 ? {} : { [element]: [...new Set(names)] };

/** Codes of a concept that are of this system. */
const codesIn = ({ coding = [] }: fhir4.CodeableConcept = {}, system: string): string[] =>
  coding.flatMap((each) => (each.system === system && each.code !== undefined ? [each.code] : []));

/** https://hl7.org/fhir/R4/valueset-consent-action.html. What is seen is accessed by the one and disclosed by the other. */
const isReading = (actions: readonly fhir4.CodeableConcept[] = []): boolean | typeof unclear => {
  const codes = actions.flatMap((action) => {
    const named = codesIn(action, `${terminology}consentaction`);
    return named.length === 0 ? [unclear] : named;
  });
  if (codes.length === 0 || codes.includes('access') || codes.includes('disclose')) return true;
  return codes.every((code) => code === 'collect' || code === 'correct') ? false : unclear;
};

const spanOf = (period: fhir4.Period | undefined): Span | typeof unclear | undefined => {
  if (!period || (period.start === undefined && period.end === undefined)) return undefined;
  const start = period.start === undefined ? null : dateInterval(period.start);
  const end = period.end === undefined ? null : dateInterval(period.end);
  return start === undefined || end === undefined ? unclear : [start?.start ?? null, end?.end ?? null];
};

/** https://hl7.org/fhir/R4/valueset-security-role-type.html: who receives, and who keeps. */
const recipientRoles: ReadonlySet<string> = new Set(['PRCP', 'IRCP']);
const custodianRole = 'CST';

const actorsOf = (actors: readonly fhir4.ConsentProvisionActor[] = [], baseUrl: string) => {
  const recipients: string[] = [];
  const custodians: string[] = [];
  for (const actor of actors) {
    const codes = codesIn(actor.role, `${terminology}v3-ParticipationType`);
    const name = nameOf(actor, baseUrl);
    if (codes.includes(custodianRole)) custodians.push(name.startsWith('Organization/') ? name : unclear);
    else if (codes.some((code) => recipientRoles.has(code))) recipients.push(isSomebody(name) ? name : unclear);
    else recipients.push(unclear);
  }
  return { recipients, custodians };
};

/** What stands for a caller by itself. Who is meant by a role, a team or a group is not looked up. */
const isSomebody = (name: string): boolean => /^(?:Organization|Practitioner|RelatedPerson|Device)\//.test(name);

/** `Type/id` of whom or what it names, unless a modifier makes something else of it. */
const nameOf = (
  { reference: { reference = '' }, modifierExtension }: fhir4.ConsentProvisionActor | fhir4.ConsentProvisionData,
  baseUrl: string,
): string => {
  const parsed = parseReference(reference, baseUrl);
  if (modifierExtension !== undefined) return unclear;
  return parsed.kind === 'record' ? `${parsed.type}/${parsed.id}` : unclear;
};

const actReason = `${terminology}v3-ActReason`;
/** Kinds of treatment: whoever treats may do so, or not. https://terminology.hl7.org/CodeSystem-v3-ActReason.html */
const kindsOfTreatment: ReadonlySet<string> = new Set([
  'CLINTRL',
  'COC',
  'ETREAT',
  'BTG',
  'ERTREAT',
  'POPHLTH',
  'CAREMGT',
]);

const purposesOf = (purposes: readonly fhir4.Coding[] = []): string[] => {
  const codes = purposes.map(({ system, code }) =>
    system !== actReason || code === undefined || kindsOfTreatment.has(code) ? unclear : code,
  );
  return codes.includes('PurposeOfUse') ? [] : codes;
};

/** Labels of v3-ActCode that others include. https://terminology.hl7.org/CodeSystem-v3-ActCode.html */
const includedLabels: Readonly<Record<string, string>> = {
  BH: 'COGN DVD EMOTDIS',
  SPI: 'BH COGN DVD EMOTDIS MH PSY PSYTHPN SUD ETHUD OPIOIDUD',
  SUD: 'ETHUD OPIOIDUD',
};

const labelsOf = (labels: readonly fhir4.Coding[] = []): string[] =>
  labels.flatMap(({ system, code }) => {
    if (system === undefined || code === undefined) return [unclear];
    const included = system === actCode ? (includedLabels[code]?.split(' ') ?? []) : [];
    return [code, ...included].map((each) => `${system}|${each}`);
  });

/** A type, or the abstract one of all. Profiles and documents of other standards are not understood. */
const typesOf = (classes: readonly fhir4.Coding[] = []): string[] => {
  const types = classes.map(({ system, code }) => {
    const known = system === 'http://hl7.org/fhir/resource-types' && code !== undefined;
    return known && (isResourceType(code) || code === 'Resource' || code === 'DomainResource') ? code : unclear;
  });
  return types.includes('Resource') || types.includes('DomainResource') ? [] : types;
};

const conceptsOf = (concepts: readonly fhir4.CodeableConcept[] = []): string[] =>
  concepts.flatMap(({ coding = [] }) => {
    const codes = coding.flatMap(({ system, code }) => (system && code ? [`${system}|${code}`] : []));
    return codes.length === 0 ? [unclear] : codes;
  });

/** https://hl7.org/fhir/R4/valueset-consent-data-meaning.html. What a record refers to, and who wrote one, is not looked up. */
const dataOf = (data: readonly fhir4.ConsentProvisionData[] = [], baseUrl: string): string[] =>
  data.flatMap((each) => {
    const { meaning } = each;
    const name = nameOf(each, baseUrl);
    if (name === unclear || meaning === 'authoredby') return [unclear];
    if (meaning === 'instance') return [name];
    return meaning === 'dependents' ? [`>${name}`] : [name, unclear];
  });
