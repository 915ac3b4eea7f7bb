import { codesByMatter } from './adolescent-codes.ts';
import type { CareAlone } from './ages.ts';

/**
 * What about a record may keep it from who acts for the patient: a kind of care; `own` for what is marked as the patient's own business, or would endanger the
 * patient; `unclear` for what is closed without a word why.
 */
export type Matter = CareAlone | 'own' | 'unclear';

const confidentiality = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const purposes = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const integrity = 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue';

/**
 * Codes of v3-ActCode, https://terminology.hl7.org/ValueSet-v3-InformationSensitivityPolicy.html. A clinician marks what is confidential to a minor by ADOL; PRS is
 * what the patient asked to be kept, TBOO, SDV, VIO and MST what others must not learn of.
 */
const labels: Readonly<Record<string, Matter>> = {
  ADOL: 'own',
  PRS: 'own',
  TBOO: 'own',
  SDV: 'own',
  VIO: 'own',
  MST: 'own',
  SEX: 'sexual',
  GENDER: 'sexual',
  HIV: 'infection',
  STD: 'infection',
  MH: 'mental',
  PSY: 'mental',
  PSYTHPN: 'mental',
  BH: 'mental',
  EMOTDIS: 'mental',
  ETH: 'substance',
  SUD: 'substance',
  ETHUD: 'substance',
  OPIOIDUD: 'substance',
  '42CFRPart2': 'substance',
};

/** What a label, `system|code`, says; by whatever name of the code system, for closed is the safe side. Undefined for one that closes nothing. */
const matterOfLabel = (label: string): Matter | undefined => {
  const at = label.lastIndexOf('|');
  const [system, code] = [label.slice(0, at), label.slice(at + 1)];
  if (system === confidentiality) {
    if (code === 'V') return 'own';
    return ['U', 'L', 'M', 'N'].includes(code) ? undefined : 'unclear';
  }
  if (system === purposes || system === integrity) return undefined;
  return Object.hasOwn(labels, code) ? labels[code] : 'unclear';
};

const matterOfCode = (system: string, code: string): Matter | undefined =>
  codesByMatter[system]?.find(([, codes]) => codes.some((each) => each === code || isWithin(each, code)))?.[0];

/** `F2*` stands for all codes that begin so. */
const isWithin = (pattern: string, code: string): boolean =>
  pattern.endsWith('*') && code.startsWith(pattern.slice(0, -1));

/** All that is coded anywhere in something, contained resources included, as system and code. */
const codingsIn = (element: unknown): (readonly [system: string, code: string])[] => {
  if (typeof element !== 'object' || element === null) return [];
  const { system, code } = element as { system?: unknown; code?: unknown };
  const own = typeof system === 'string' && typeof code === 'string' ? [[system, code] as const] : [];
  return [...own, ...Object.values(element).flatMap(codingsIn)];
};

/** Whether a record is about one of these matters, by its labels or by any code in it; a Consent by the labels that it names as well. Pure. */
export const isAbout = (
  matters: ReadonlySet<Matter>,
  record: { readonly labels: readonly string[]; readonly resource: object | undefined },
): boolean => {
  const isOf = (matter: Matter | undefined) => matter !== undefined && matters.has(matter);
  if (record.labels.some((label) => isOf(matterOfLabel(label)))) return true;
  const { meta: _labels, ...said } = (record.resource ?? {}) as { meta?: unknown };
  const naming = (record.resource as { resourceType?: unknown } | undefined)?.resourceType === 'Consent';
  return codingsIn(said).some(
    ([system, code]) =>
      isOf(matterOfCode(system, code)) || (naming && Object.hasOwn(labels, code) && isOf(labels[code])),
  );
};
