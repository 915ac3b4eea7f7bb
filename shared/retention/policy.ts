/** How long records are kept at least, in years. */
export interface RetentionPolicy {
  /** From the last thing that is known of a record: when it was written, or the date that it is about. */
  readonly years: number;
  /** Types that are kept for longer. */
  readonly yearsOfType: Readonly<Record<string, number>>;
  /** Age at which people come of age, and how long what was written before is kept from then on. */
  readonly majority: number;
  readonly yearsFromMajority: number;
}

/**
 * What holds in most places: ten years, and what concerns a minor until ten years after coming of age. HIPAA itself asks for six years of its own documents, which
 * Consents and requests are (45 CFR 164.316(b)(2), 164.530(j)); states and Medicare ask for more of records of care, vaccinations for a lifetime.
 */
export const usualRetention: RetentionPolicy = {
  years: 10,
  yearsOfType: { Immunization: 75, ImmunizationRecommendation: 75 },
  majority: 18,
  yearsFromMajority: 10,
};

/** What a record tells of how long it is to be kept. */
export interface Kept {
  readonly type: string;
  /** When it was last written, or the date that it is about, whichever is later. Milliseconds since 1970. */
  readonly last: number;
}

const yearsLater = (time: number, years: number): number => {
  const date = new Date(time);
  date.setUTCFullYear(date.getUTCFullYear() + years);
  return date.getTime();
};

/**
 * Until when a chart is to be kept: until none of its records is to be any more. Whoever has no date of birth counts as born when the record was written: nobody knows better, and
 * what is purged does not come back.
 *
 * @param born - date of birth, in milliseconds since 1970.
 * @returns milliseconds since 1970.
 */
export const keptUntil = (
  records: readonly Kept[],
  born: number | undefined,
  policy: RetentionPolicy = usualRetention,
): number =>
  Math.max(
    ...records.map(({ type, last }) => {
      const usual = yearsLater(last, policy.yearsOfType[type] ?? policy.years);
      const ofAge = yearsLater(born ?? last, policy.majority);
      return last < ofAge || born === undefined ? Math.max(usual, yearsLater(ofAge, policy.yearsFromMajority)) : usual;
    }),
  );
