/** Kinds of care that a minor may consent to alone, each from an age on. */
export const kindsOfCare = ['sexual', 'infection', 'mental', 'substance'] as const;
export type CareAlone = (typeof kindsOfCare)[number];

/** What a law says of ages, in whole years. */
export interface Ages {
  /** From here on nobody decides for a person for being a parent. */
  readonly majority: number;
  /** From which age a minor may consent alone; a kind that is not named, never. */
  readonly alone: Readonly<Partial<Record<CareAlone, number>>>;
  /** From which age a label that closes a record and does not say why is taken for one of these kinds. */
  readonly unclear: number;
}

/**
 * Laws by jurisdiction: ADD A ROW HERE, with its sources, and name it in the policy of a deployment (infra/stages.ts). A network's counsel confirms its row:
 * this is data, and no advice. `sexual` is sexual and reproductive health, `infection` HIV and what is transmitted sexually, `mental` outpatient care, `substance`
 * treatment for the use of alcohol and drugs.
 */
export const agesByJurisdiction: Readonly<Record<string, Ages>> = {
  // No law's: the lowest age that is common among those of the United States, for all kinds. https://www.guttmacher.org/state-policy/explore/overview-minors-consent-law
  cautious: { majority: 18, alone: { sexual: 12, infection: 12, mental: 12, substance: 12 }, unclear: 12 },
  // California Family Code 6500; 6925 (any age), 6926, 6924, 6929; Health and Safety Code 124260. What may be withheld from parents: 123115.
  'US-CA': { majority: 18, alone: { sexual: 0, infection: 12, mental: 12, substance: 12 }, unclear: 12 },
  // Revised Code of Washington 26.28.010; 9.02.100 (any age), 70.24.110, 71.34.530.
  'US-WA': { majority: 18, alone: { sexual: 0, infection: 14, mental: 13, substance: 13 }, unclear: 13 },
};

const strictest: Ages = { majority: 18, alone: { sexual: 0, infection: 0, mental: 0, substance: 0 }, unclear: 0 };

/** The ages of a jurisdiction. Of one that has no row, what hides most. */
export const agesOf = (jurisdiction: string): Ages => agesByJurisdiction[jurisdiction] ?? strictest;
