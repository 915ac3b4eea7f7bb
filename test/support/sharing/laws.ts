import type { ConsentNotice } from './bus-follower.ts';
import type { Change, Model } from './model.ts';

/** A change that somebody was told of. */
export interface Sighting {
  readonly name: string;
  readonly version: number;
  readonly kind: Change['kind'];
  /** What tells repeats: the event's id, and a webhook's number of it. */
  readonly id: string;
  /** It was decided at some moment from here … */
  readonly from: number;
  /** … to here, when it was seen. */
  readonly to: number;
  /** The mark of the version whose content came with it; undefined if none did. */
  readonly mark?: string | undefined;
  /** Whether it was seen by who then refused it: it has to come again. */
  readonly refused?: boolean;
}

/** What one subscriber, poller or recipient on the bus has seen, in its order. */
export interface Witness {
  readonly name: string;
  /** By which names it is told of changes: that of its organisation, that of the network, or both. */
  readonly recipients: readonly string[];
  /** Types of records that it wants to know of; all if absent. */
  readonly types?: readonly string[];
  readonly seen: readonly Sighting[];
  /** Whether a record's versions come in order. */
  readonly ordered: boolean;
}

const versionOf = ({ name, version }: { readonly name: string; readonly version: number }): string =>
  `${name}/${version}`;

/**
 * What is wrong with what a witness has seen, whatever is yet to come: a change that never was, or one that the witness was not permitted to know of at any
 * moment at which it may have been decided; other content; a repeat under another id, or an id of two changes; an earlier version behind a later one.
 *
 * @param isExpected - tells what is no part of the traffic, such as the Subscription itself.
 */
export const faultsIn = (
  model: Model,
  { name: witness, recipients, types, seen, ordered }: Witness,
  isExpected: (sighting: Sighting) => boolean = () => false,
): string[] => {
  const faults: string[] = [];
  const made = new Map(model.changes().map((change) => [versionOf(change), change]));
  const versions = new Map<string, string>();
  const ids = new Map<string, string>();
  const highest = new Map<string, number>();
  const tell = (sighting: Sighting, what: string) =>
    faults.push(`${witness}: ${versionOf(sighting)} (${sighting.id}) ${what}`);
  for (const sighting of seen) {
    const version = versionOf(sighting);
    const change = made.get(version);
    if (!change) {
      if (!isExpected(sighting)) tell(sighting, 'never was');
    } else {
      if (sighting.kind !== change.kind) tell(sighting, `was ${change.kind}, and is told as ${sighting.kind}`);
      const { from, to } = sighting;
      if (types && !types.includes(change.facts.type)) tell(sighting, 'was not asked for');
      if (!recipients.some((recipient) => change.person.permitsAtSome(recipient, change, from, to)))
        tell(sighting, 'was not to be known');
      if (sighting.mark !== undefined && sighting.mark !== change.mark) tell(sighting, `came as ${sighting.mark}`);
    }
    if ((versions.get(version) ?? sighting.id) !== sighting.id)
      tell(sighting, `came before as ${versions.get(version)}`);
    if ((ids.get(sighting.id) ?? version) !== version) tell(sighting, `has the id of ${ids.get(sighting.id)}`);
    if (ordered && !versions.has(version) && (highest.get(sighting.name) ?? 0) > sighting.version)
      tell(sighting, `came behind version ${highest.get(sighting.name)}`);
    versions.set(version, sighting.id);
    ids.set(sighting.id, version);
    highest.set(sighting.name, Math.max(highest.get(sighting.name) ?? 0, sighting.version));
  }
  return faults;
};

/**
 * The changes that a witness had to be told of and was not: those that were asked for after one moment, and that it was permitted to know of from then until another one, without a break.
 *
 * @param until - when everything that was under way had come to an end.
 */
export const missingFor = (model: Model, witness: Witness, after: number, until: number): Change[] => {
  const seen = new Set(witness.seen.filter(({ refused }) => !refused).map(versionOf));
  return dueTo(model, witness, after, until).filter((change) => !seen.has(versionOf(change)));
};

/** The changes that a witness has to be told of, as above. */
export const dueTo = (
  model: Model,
  { recipients, types }: Pick<Witness, 'recipients' | 'types'>,
  after: number,
  until: number,
): Change[] =>
  model
    .changes()
    .filter(
      (change) =>
        change.sent > after &&
        change.sent <= until &&
        (!types || types.includes(change.facts.type)) &&
        recipients.some((recipient) => change.person.permitsThroughout(recipient, change, change.sent, until)),
    );

/**
 * What is wrong with what organisations were told of changed Consents, once everything has come to its end: one that keeps the chart, or never saw anything of it, was told; one that sees
 * something now was not told that it does, or was told last that it sees nothing; one that was told that it sees something, and sees nothing now, was not told so.
 *
 * @param eachApart - whether each change was told of before the next one was made. Otherwise it is not asked for that a loss is told.
 */
export const faultsInNotices = (
  model: Model,
  notices: readonly ConsentNotice[],
  organizations: readonly string[],
  eachApart: boolean,
): string[] => {
  const people = new Map(model.changes().map(({ chart, person }) => [chart, person]));
  const told = Map.groupBy(notices, ({ patientId, recipient }) => `Patient/${patientId} ${recipient}`);
  const untrue = notices.flatMap(({ patientId, recipient, change, to }) => {
    const chart = `Patient/${patientId}`;
    const person = people.get(chart);
    const may = person && recipient !== person.custodian && person.sawSome(recipient, chart, to);
    return may ? [] : [`${recipient} was told that it ${change} something of ${chart}`];
  });
  const unsaid = [...people].flatMap(([chart, person]) =>
    organizations.flatMap((organization) => {
      // What a merge closes or opens is no change of a Consent.
      if (person.isDirectory || person.everMerged || organization === person.custodian) return [];
      const last = told.get(`${chart} ${organization}`)?.at(-1)?.change;
      const sees = person.seesSome(organization, chart);
      const isRight = sees
        ? last === 'gained' || last === 'changed'
        : !eachApart || last === undefined || last === 'lost';
      if (isRight) return [];
      return [
        `${organization} sees ${sees ? 'something' : 'nothing'} of ${chart} and was told last: ${last ?? 'nothing'}`,
      ];
    }),
  );
  return [...untrue, ...unsaid];
};
