/**
 * How likely each finding is among records of one person (`m`) and among records of two (`u`). Its weight is log2(m/u), in bits; weights add up. The model
 * is that of I. Fellegi and A. Sunter, "A Theory for Record Linkage", J. Am. Stat. Assoc. 64 (1969); the levels of partial agreement follow W. Winkler,
 * "Overview of Record Linkage and Current Research Directions", U.S. Census Bureau, RRS 2006-02, and A. Enamorado, B. Fifield, K. Imai, "Using a
 * Probabilistic Model to Assist Merging of Large-Scale Administrative Records", Am. Polit. Sci. Rev. 113 (2019).
 *
 * What two strangers have in common by chance is counted: a birth date is one of some 29,000 days (80 years), a gender one of two. Family names agree by
 * chance in about one of 1,000 pairs, given names in one of 100 (frequencies of the U.S. Census 2010, smoothed, so that rare names count no more than
 * common ones). How often the records of one person differ is estimated from the literature on duplicates in hospitals: A. McCoy and others, "Matching
 * identifiers in electronic health records", BMJ Qual. Saf. 22 (2013); B. Just and others, "Why Patient Matching Is a Challenge", Perspect. Health Inf.
 * Manag. 13 (2016). Contacts are shared by households, so they count less than their number would tell.
 */
export const weights = {
  family: {
    same: { m: 0.85, u: 0.001 },
    part: { m: 0.04, u: 0.0005 }, // one of two names, hyphenated or not
    former: { m: 0.03, u: 0.0005 }, // a name of before: maiden, old
    swapped: { m: 0.01, u: 0.0003 }, // with the given name
    similar: { m: 0.05, u: 0.003 }, // misspelt
    different: { m: 0.02, u: 0.9947 },
  },
  given: {
    same: { m: 0.78, u: 0.01 },
    nickname: { m: 0.08, u: 0.004 },
    swapped: { m: 0.01, u: 0.0003 }, // with the family name
    similar: { m: 0.06, u: 0.006 }, // misspelt
    other: { m: 0.03, u: 0.01 }, // the second name of one is the first of the other
    initial: { m: 0.02, u: 0.02 },
    different: { m: 0.02, u: 0.9497 },
  },
  birthDate: {
    same: { m: 0.95, u: 0.00004 },
    swapped: { m: 0.01, u: 0.00004 }, // day and month
    digits: { m: 0.025, u: 0.0012 }, // one digit, or two neighbours in the other order
    partly: { m: 0.95, u: 0.02 }, // year, or year and month: one record knows no more
    different: { m: 0.015, u: 0.9987 },
  },
  gender: { same: { m: 0.99, u: 0.5 }, different: { m: 0.01, u: 0.5 } },
  birthOrder: { same: { m: 0.99, u: 0.5 }, different: { m: 0.01, u: 0.5 } }, // of twins
  identifier: {
    same: { m: 0.95, u: 0.0000002 },
    different: { m: 0.05, u: 0.9999998 }, // of a kind of which a person has one in life
  },
  phone: { same: { m: 0.5, u: 0.001 }, different: { m: 0.5, u: 0.999 } },
  email: { same: { m: 0.5, u: 0.0005 }, different: { m: 0.5, u: 0.9995 } },
  address: {
    same: { m: 0.55, u: 0.0008 }, // line, and postal code or city
    postalCode: { m: 0.15, u: 0.005 },
    city: { m: 0.1, u: 0.05 },
    different: { m: 0.2, u: 0.9442 },
  },
} as const satisfies Record<string, Record<string, { m: number; u: number }>>;

export type Field = keyof typeof weights;

/** What comparing one field of two patients found. A field that one of them does not tell is no finding. */
export type Finding = { [F in Field]: { readonly field: F; readonly level: keyof (typeof weights)[F] } }[Field];

/** Bits by which a finding makes it more likely, or less, that two records are of one person. */
export const weightOfFinding = ({ field, level }: Finding): number => {
  const { m, u } = (weights[field] as Record<string, { m: number; u: number }>)[level] ?? { m: 1, u: 1 };
  return Math.log2(m / u);
};

/** How likely it is before anything is compared: one of 32,768 patients. Bits. */
export const prior = -15;
