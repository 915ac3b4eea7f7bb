import type { Door, Referral, Visit } from './door.ts';
import type { Policy } from './policy.ts';

const day = 86_400_000;

/** Sort key of the row of a door, by which that of a referral tells its record. */
interface At {
  readonly sk: string;
}

/** A visit that nobody has ended, and nobody has written of for so long, is over. */
const longestVisit = 365 * day;

/**
 * Care relationships of a chart. There is one as long as both sides have done something for it: the organisation that keeps the records has referred the
 * patient, or the patient has accepted, and the other organisation has seen the patient. Pure.
 */
export class Relations {
  readonly #referrals: readonly (Referral & At)[];
  /** Not too long ago. */
  readonly #visits: readonly Visit[];
  readonly #guests: ReadonlySet<string>;

  /** @param now - in milliseconds since 1970. */
  constructor(doors: readonly (Door & At)[], { relationDays }: Policy, now: number) {
    const lasts = relationDays * day;
    const isOpen = ({ from, until, ended }: Referral) =>
      (from === undefined || now >= from) &&
      (until === undefined || now < until) &&
      (ended === undefined || now < ended + lasts);
    const isRecent = ({ seen, ended }: Visit) => now < (ended === undefined ? seen + longestVisit : ended + lasts);
    this.#referrals = doors.filter((door) => door.kind === 'referral').filter(isOpen);
    this.#visits = doors.filter((door) => door.kind === 'visit').filter(isRecent);
    this.#guests = guestsIn(doors);
  }

  /** Whether somebody may refer to the patient in whose chart a referral is, to see the patient at last. */
  isReferred(organization: string, keeper: string): boolean {
    return this.#referrals.some((referral) => asks(referral, organization) && opensFor(referral, keeper));
  }

  /** Whether a row is of a referral to this organisation. */
  isReferral(organization: string, row: string): boolean {
    return this.#referrals.some((referral) => referral.sk === row && asks(referral, organization));
  }

  /**
   * Whether an organisation may see what another one keeps: it was sent the patient by that one or by the patient, or keeps the Patient and has sent the
   * patient there. A guest of the chart could order what suits it: the other one may have seen the patient for another reason.
   */
  areRelated(organization: string, keeper: string): boolean {
    return this.#referrals.some(
      (referral) =>
        (asks(referral, organization) && opensFor(referral, keeper) && this.#isAnswered(referral, organization)) ||
        (asks(referral, keeper) && this.#isOwn(referral, organization) && this.#isAnswered(referral, keeper)),
    );
  }

  /** Whether an organisation may see anything at all by them. */
  isOf(organization: string): boolean {
    return this.#referrals.some(
      (referral) =>
        (asks(referral, organization) && this.#isAnswered(referral, organization)) ||
        this.#isOwn(referral, organization),
    );
  }

  /** Whether an organisation has seen the patient for what this asks. */
  #isAnswered(referral: Referral, organization: string): boolean {
    return this.#visits.some((visit) => visit.custodian === organization && answers(visit, referral));
  }

  /** Whether the organisation has referred its own patient. */
  #isOwn({ custodian, byPatient }: Referral, organization: string): boolean {
    return custodian === organization && !byPatient && !this.#guests.has(organization);
  }
}

/** Organisations that keep records in a chart whose Patient another one keeps: every first write there tells of them. */
export const guestsIn = (doors: readonly Door[]): ReadonlySet<string> =>
  new Set(doors.flatMap((door) => (door.kind === 'presence' ? [door.organization] : [])));

/**
 * Whether a visit is the one that was asked for. Where it says what it is for, that decides; else it has to begin in the time of the referral, and not be of an emergency, to
 * which nobody sent the patient.
 */
const answers = ({ basedOn = [], began, seen, emergency }: Visit, { names = [], begins, until }: Referral): boolean => {
  if (basedOn.some((name) => names.includes(name))) return true;
  if (emergency || (basedOn.length > 0 && names.length > 0)) return false;
  const start = began ?? seen;
  return (begins === undefined || start >= begins) && (until === undefined || start < until);
};

const asks = ({ to }: Referral, organization: string): boolean => to.includes(`Organization/${organization}`);

const opensFor = ({ custodian, byPatient }: Referral, keeper: string): boolean =>
  byPatient === true || custodian === keeper;
