import { dayMs, dayOf } from './times.ts';

/** Somebody who is to be told of a breach, as far as deadlines go by it. */
export interface NotifiedPatient {
  /** Such as `MA`; undefined where no address is known. */
  readonly state: string | undefined;
  /** Where a letter goes; empty where none is known. */
  readonly address: string;
}

/** A notice that is due. */
export interface NoticeDue {
  readonly rule: string;
  readonly words: string;
  /** Last day, such as `2027-01-26`. */
  readonly until: string;
}

const days = 60;
/** From so many people on the department is told at once; in one State, of more than so many, its media too. */
const many = 500;
/** From so many without an address on, a posting for 90 days takes the place of their letters. */
const unreachable = 10;

/**
 * What is due after a breach of so many patients' records, and until when. Nothing may be put off for as long as that without a reason; where a law enforcement official
 * says so it waits (164.412).
 *
 * @param discovered - milliseconds since 1970: the first day on which it was known, or would have been with diligence.
 * @see https://www.ecfr.gov/current/title-45/subtitle-A/subchapter-C/part-164/subpart-D
 */
export const noticesDue = (patients: readonly NotifiedPatient[], discovered: number): NoticeDue[] => {
  if (patients.length === 0) return [];
  const until = dayOf(discovered + days * dayMs);
  const yearsEnd = Date.UTC(new Date(discovered).getUTCFullYear(), 11, 31);
  const withoutAddress = patients.filter(({ address }) => address === '').length;
  const states = new Map<string, number>();
  for (const { state } of patients) if (state !== undefined) states.set(state, (states.get(state) ?? 0) + 1);
  const told = [...states].filter(([, count]) => count > many).map(([state]) => state);
  return [
    {
      rule: '45 CFR 164.404(b)',
      words: `a letter to each of ${patients.length} patients, without unreasonable delay (45 CFR 164.404)`,
      until,
    },
    ...(withoutAddress === 0
      ? []
      : [
          {
            rule: '45 CFR 164.404(d)(2)',
            words: `${withoutAddress} have no address: ${withoutAddress < unreachable ? 'tell them another way' : 'post it for 90 days on the home page or in media, with a toll-free number'} (45 CFR 164.404(d)(2))`,
            until,
          },
        ]),
    ...(told.length === 0
      ? []
      : [
          {
            rule: '45 CFR 164.406',
            words: `prominent media of ${told.toSorted().join(', ')}: more than ${many} residents (45 CFR 164.406)`,
            until,
          },
        ]),
    patients.length >= many
      ? { rule: '45 CFR 164.408(b)', words: `the Secretary of HHS: ${many} or more (45 CFR 164.408(b))`, until }
      : {
          rule: '45 CFR 164.408(c)',
          words: `the Secretary of HHS, with the year's others: fewer than ${many} (45 CFR 164.408(c))`,
          until: dayOf(yearsEnd + days * dayMs),
        },
  ];
};
