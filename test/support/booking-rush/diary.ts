// What is known of bookings from answers alone. Nothing here knows the code of the project: what it says about time is worked out anew.

/** Time of some actors. Milliseconds since 1970. */
export interface Wanted {
  /** `Practitioner/…` and `Location/…`: who can be in one place only. */
  readonly actors: readonly string[];
  readonly from: number;
  readonly to: number;
}

/** Between these two moments, by the clock that the server has, something was decided. */
interface Decided {
  readonly sent: number;
  readonly answered: number;
}

/** A version of an Appointment that an answer has acknowledged. */
export interface Version extends Decided {
  /** `Appointment/id` */
  readonly name: string;
  readonly version: number;
  /** The time that it holds; none if it was cancelled. */
  readonly holds?: Wanted & {
    /** When it lapses, for a hold. */
    readonly until?: number | undefined;
  };
}

/** A refusal because others have the time. */
export interface Refusal extends Decided {
  /** The record that was to be moved or confirmed: it does not stand in its own way. */
  readonly own?: string | undefined;
  /** Of a record that was to be confirmed: whatever it held at that moment, if absent. */
  readonly wanted?: Wanted | undefined;
  /** What was offered in its place; undefined where the call promises none. */
  readonly offers?: readonly { readonly from: number; readonly to: number }[] | undefined;
}

/** Time that somebody has surely had, and may have had, at which moments. */
export interface Tenure extends Wanted {
  readonly name: string;
  /** From the answer to the request that gave it back, or until it lapsed: then nobody else can have had it. */
  readonly surely: readonly [begins: number, ends: number];
  /** Whether it ended by itself, and not by a request. */
  readonly lapsed: boolean;
  /** From the request to the answer that gave it back. */
  readonly maybe: readonly [begins: number, ends: number];
}

export const nameOf = ({ id }: fhir4.Appointment): string => `Appointment/${id}`;

/** The time that an Appointment is about. */
export const timeOf = ({ start = '', end = '', participant }: fhir4.Appointment): Wanted => ({
  actors: participant
    .flatMap(({ actor }) => actor?.reference ?? [])
    .filter((reference) => /^(Practitioner|Location)\//.test(reference)),
  from: Date.parse(start),
  to: Date.parse(end),
});

/** A resource of an answer as a version. */
export const versionOf = (resource: fhir4.Appointment, decided: Decided): Version => {
  const { meta, status, extension = [] } = resource;
  const until = extension.find(({ url }) => url.endsWith('/hold-until'))?.valueInstant;
  const holds = timeOf(resource);
  return {
    ...decided,
    name: nameOf(resource),
    version: Number(meta?.versionId),
    ...(status === 'booked' ? { holds } : {}),
    ...(status === 'pending' && until !== undefined ? { holds: { ...holds, until: Date.parse(until) } } : {}),
  };
};

/** Who had which time when. A version that keeps the time of the one before it goes on with it, unless that may have lapsed meanwhile. */
export const tenuresOf = (versions: readonly Version[]): Tenure[] => {
  const tenures: Tenure[] = [];
  for (const [name, own] of Map.groupBy(versions, (each) => each.name)) {
    const inOrder = own.toSorted((a, b) => a.version - b.version);
    let since: Version | undefined;
    for (const [index, { sent, answered, holds, ...each }] of inOrder.entries()) {
      const next = inOrder[index + 1];
      if (!holds) continue;
      const { until = Number.POSITIVE_INFINITY, ...wanted } = holds;
      const begun = since ?? { sent, answered, ...each };
      if (next?.holds && until > next.answered && isSame(next.holds, wanted)) {
        since = begun;
        continue;
      }
      since = undefined;
      const { sent: ends = Number.POSITIVE_INFINITY, answered: hasEnded = Number.POSITIVE_INFINITY } = next ?? {};
      tenures.push({
        ...wanted,
        name,
        lapsed: until < ends,
        surely: [begun.answered, Math.min(ends, until)],
        maybe: [begun.sent, Math.min(hasEnded, until)],
      });
    }
  }
  return tenures;
};

const isSame = (a: Wanted, b: Wanted) =>
  a.from === b.from && a.to === b.to && a.actors.toSorted().join() === b.actors.toSorted().join();

/** Whether two want time of one actor that only one can have. */
export const collide = (a: Wanted, b: Wanted): boolean =>
  a.from < b.to && b.from < a.to && a.actors.some((actor) => b.actors.includes(actor));
