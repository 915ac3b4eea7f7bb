import type { Extent } from '../../access/extent.ts';

/** Records of one organisation with one label, by how much of them another one sees. */
export interface Told {
  readonly organization: string;
  readonly keeper: string;
  /** `system|code`; undefined for what bears no sensitive label. */
  readonly label: string | undefined;
  readonly extent: Extent;
  /** Types of which it is so, and all that might be shared. */
  readonly types: readonly string[];
  readonly among: readonly string[];
}

/** Of v3-ActCode and v3-Confidentiality; others are told by their code. */
const words: Readonly<Record<string, string>> = {
  HIV: 'HIV',
  ETH: 'use of substances',
  SUD: 'use of substances',
  PSY: 'mental health',
  SEX: 'sexuality and reproduction',
  SDV: 'violence',
  R: 'restricted',
  V: 'very restricted',
  '42CFRPart2': 'of a substance-use programme',
};

const quantities = { all: 'all', some: 'some', none: 'no' } as const;

/** A plain sentence. */
export const sentenceOf = ({ organization, keeper, label, extent, types, among }: Told): string => {
  const code = label?.slice(label.lastIndexOf('|') + 1) ?? '';
  const which = label === undefined ? 'without a sensitive label' : `labelled ${words[code] ?? code}`;
  return `${organization} sees ${quantities[extent]} records ${which} that ${keeper} keeps${ofTypes(types, among)}.`;
};

/** The shorter way to say of which types. */
const ofTypes = (types: readonly string[], among: readonly string[]): string => {
  const others = among.filter((type) => !types.includes(type));
  if (others.length === 0) return '';
  return others.length < types.length ? `, but for ${others.join(', ')}` : `, of ${types.join(', ')}`;
};

/** That a payer is told less, and what becomes of claims. */
export const restrictionSentence = (payer: string, keeper: string): string =>
  `What the patient has paid for, as far as a Consent says so, ${keeper} does not tell ${payer} for payment or operations: claims to it for that are refused, and it does not see the records.`;
