/** Key of a row in the one table. docs/store.md shows each with a worked example. */
export type RowKey = {
  readonly pk: string;
  readonly sk: string;
};

/** A row whose attributes do not matter here. */
export type Row = RowKey & { readonly [attribute: string]: unknown };

/** Where a record's row is: its type, the chart that is its home, and its place there (empty for the record that heads the chart). */
export interface Address {
  readonly type: string;
  readonly chart: string;
  readonly place: string;
}

/** An address, and the place at which charts show the record, where that is another one. */
type Shown = Address & { readonly shown?: string | undefined };

/** Stands in a key for an organisation where a type belongs to the whole network: the directory. */
export const network = '*';

export const deploymentKeyKey: RowKey = { pk: '!deployment', sk: 'key' };

export const chartKey = (chart: string) => `C#${chart}`;
/** The chart of a partition; undefined for a partition of anything else. */
export const chartIn = (pk: string): string | undefined => (pk.startsWith('C#') ? pk.slice(2) : undefined);

/** Whose access tokens are denied: a few rows, all read together. */
export const deniedPartition = '!denied';
export const deniedKey = (kind: string, name: string): RowKey => ({ pk: deniedPartition, sk: `${kind}#${name}` });

/** Whose each application is, by its `client_id`. */
export const applicationsPartition = '!applications';
export const applicationKey = (client: string): RowKey => ({ pk: applicationsPartition, sk: client });

/** What lets a person (`Practitioner/id`) act for an organisation: one row for each PractitionerRole that says so. */
export const delegationPrefix = 'D#';
export const delegationPartition = (organization: string, person: string) =>
  `${delegationPrefix}${organization}#${person}`;
export const delegationKey = (organization: string, person: string, role: string): RowKey => ({
  pk: delegationPartition(organization, person),
  sk: role,
});

/** A record's current version. Within a chart, types stand together and each type's records in order of clinical date. */
export const recordKey = ({ type, chart, place }: Address): RowKey => ({ pk: chartKey(chart), sk: `${type}#${place}` });

/** What all current records of one type in a chart begin with. */
export const typePrefix = (type: string) => `${type}#`;

/** Records lie between these sort keys; directives (`!…`) stand before them, history (`~H#…`) behind. */
export const recordRange = { from: 'A', to: 'Zzzz' } as const;

/**
 * Stands for a record where its own row is not: in the chart of a second or further patient, and in any of its charts at the place of
 * its present date, if that has changed. Names the record's home. Its key is nobody else's, because half of a place is random.
 */
export const pointerKey = ({ shown, ...address }: Shown, chart: string): RowKey =>
  recordKey({ ...address, chart, place: shown ?? address.place });

/**
 * Stands in a chart for a record elsewhere that refers to one of it. Sorts beside the pointers, and what heads a chart of its own before
 * all dates. Its key is no record's: only who asks what refers to something follows it.
 */
export const mentionKey = ({ shown, ...address }: Shown, chart: string): RowKey => ({
  pk: chartKey(chart),
  sk: `${typePrefix(address.type)}${shown ?? address.place}${mentionSuffix(address)}`,
});

const mentionSuffix = ({ chart, place }: Address): string => `!${place === '' ? chart : ''}`;

/** What the Consents of a chart's patient come to. */
export const directivePrefix = '!access#';

/** What one Consent of a chart comes to for other organisations. */
export const directiveKey = ({ chart, place }: Address): RowKey => ({
  pk: chartKey(chart),
  sk: `${directivePrefix}${place}`,
});

/** A referral of the patient, or the patient's own word, for other organisations. */
export const referralKey = ({ type, chart, place }: Address): RowKey => ({
  pk: chartKey(chart),
  sk: `${directivePrefix}${type}#${place}`,
});

/** That what names a visit is a substance-use programme's. */
export const programmeVisitKey = ({ chart, place }: Address): RowKey => ({
  pk: chartKey(chart),
  sk: `${directivePrefix}@programme#${place}`,
});

/** What is told of organisations that keep records in a chart that another one keeps: nothing of it closes anything. */
export const visitPrefix = `${directivePrefix}~`;

export const presenceKey = (chart: string, organization: string): RowKey => ({
  pk: chartKey(chart),
  sk: `${visitPrefix}@${organization}`,
});

/** That such an organisation has seen the patient. */
export const visitKey = ({ type, chart, place }: Address): RowKey => ({
  pk: chartKey(chart),
  sk: `${visitPrefix}${type}#${place}`,
});

/** That somebody has broken the glass of a chart. */
export const grantPrefix = `${visitPrefix}!`;
export const grantKey = (chart: string, place: string): RowKey => ({
  pk: chartKey(chart),
  sk: `${grantPrefix}${place}`,
});

/** One of those attempts that somebody has in a while. */
export const attemptKey = (hash: string, since: string, number: number): RowKey => ({
  pk: `E#${hash}`,
  sk: `${since}#${number}`,
});

/** Who may act for a chart's patient, and what is recorded of that patient's own standing. No other range of a chart has them. */
export const proxyPrefix = '!proxy';

/** The right of somebody, `Type/id`, to act for the patient. */
export const proxyKey = (chart: string, proxy: string): RowKey => ({
  pk: chartKey(chart),
  sk: `${proxyPrefix}#${proxy}`,
});

/** That a patient who is a minor decides alone. */
export const emancipationKey = (chart: string): RowKey => ({ pk: chartKey(chart), sk: `${proxyPrefix}!` });

/** Which charts a chart is linked with. */
export const linksKey = (chart: string): RowKey => ({ pk: chartKey(chart), sk: '!linked' });

const signSuffix = '#~';

/** Says that a chart is linked: last in the range of one type; first of all records where no type is given. */
export const linkSignKey = (chart: string, type = 'A'): RowKey => ({ pk: chartKey(chart), sk: `${type}${signSuffix}` });

export const isLinkSign = ({ sk }: RowKey): boolean => sk.endsWith(signSuffix);

/**
 * Leads to a record of a chart whose date says more than its place tells: behind all of its type, and behind the sign that the chart is
 * linked. A record that is mentioned in the chart has the same, with what tells a mention.
 */
export const lastingKey = ({ shown, ...address }: Shown, chart: string, mentioned = false): RowKey => ({
  pk: chartKey(chart),
  sk: `${address.type}${signSuffix}~${shown ?? address.place}${mentioned ? mentionSuffix(address) : ''}`,
});

/** Says that a record has no date, so that its place is the time of its creation: behind those. */
export const undatedKey = ({ shown, ...address }: Shown, chart: string): RowKey => ({
  pk: chartKey(chart),
  sk: `${address.type}${signSuffix}~~${shown ?? address.place}`,
});

/** Whether a row stands behind a type's records, and is none of them. */
export const isSign = ({ sk }: RowKey): boolean => sk.includes(signSuffix);

/** The last sort key of a type's records, of those with its signs that concern a search for a date, or with all of its signs. */
export const lastOf = (type: string, what: 'records' | 'lasting' | 'signs') =>
  `${type}${signSuffix}${{ records: '', lasting: '~~', signs: '~~~' }[what]}`;

/** The sort key at which a chart shows the record that a row of lasting ones leads to. */
export const placeOfLasting = ({ sk }: RowKey): string => sk.replace(/~~|!.*/g, '');

/** What the earlier versions of one record begin with. */
export const historyPrefix = ({ type, place }: Address) => `~H#${type}#${place}#`;

/** An earlier version. Ten digits, because DynamoDB compares sort keys as text. */
export const historyKey = (address: Address, version: number): RowKey => ({
  pk: chartKey(address.chart),
  sk: `${historyPrefix(address)}${String(version).padStart(10, '0')}`,
});

export const locatorPrefix = 'L#';

/** Chart and place of an id that a client chose. */
export const locatorKey = (type: string, id: string): RowKey => ({ pk: `${locatorPrefix}${type}#${id}`, sk: 'L' });

/** Cross-patient search: all rows of one organisation, type, parameter and key, in order of value. */
export const registryPartition = (organization: string, type: string, parameter: string, key: string) =>
  `X#${organization}#${type}#${parameter}#${key}`;

/** Who bears one identifier, and what guards a condition on it. */
export const uniquePartition = (organization: string, type: string, hash: string): string =>
  `U#${organization}#${type}#${hash}`;

/** One record that bears the identifier. */
export const bearerKey = (partition: string, id: string): RowKey => ({ pk: partition, sk: `B#${id}` });

/** What conditional creates with one condition have made; each requires that it is as it was when the condition was looked at. */
export const guardKey = (partition: string): RowKey => ({ pk: partition, sk: 'G' });

/** The marker that decides a staged transaction. */
export const transactionKey = (transaction: string): RowKey => ({ pk: `T#${transaction}`, sk: 'T' });

/** What a staged transaction does once it is committed, in numbered parts. */
export const redoKey = (transaction: string, part: number): RowKey => ({
  pk: `T#${transaction}`,
  sk: `R#${String(part).padStart(4, '0')}`,
});

/** Unfinished staged transactions, spread over 32 partitions by the first letter of their name. */
export const unfinishedPartition = (letter: string) => `T~${letter}`;
export const unfinishedKey = (transaction: string): RowKey => ({
  pk: unfinishedPartition(transaction.slice(0, 1)),
  sk: transaction,
});

/** Uploads whose commit is still to come, spread over 32 partitions by the last letter of their name; oldest first in each. */
export const uploadPartition = (letter: string) => `O~${letter}`;
export const uploadKey = (upload: string): RowKey => ({ pk: uploadPartition(upload.slice(-1)), sk: upload });

/** Who did what with a chart, oldest first. */
export const auditPartition = (chart: string) => `A#${chart}`;
export const auditKey = (chart: string, place: string): RowKey => ({ pk: auditPartition(chart), sk: place });

/** The same by organisation and day (UTC, `2026-11-24`), written by the stream consumer. */
export const auditDayPartition = (organization: string, day: string) => `A#${organization}#${day}`;

/** The chain over a log, link by link, written by the stream consumer. */
export const auditChainPartition = (log: string) => `${auditPartition(log)}#chain`;
export const auditChainKey = (log: string, number: number): RowKey => ({
  pk: auditChainPartition(log),
  sk: String(number).padStart(10, '0'),
});

/** Which logs got links on a day (UTC): what the day's digest looks at. Spread over a few partitions. */
export const chainedPrefix = 'A~';
export const chainedPartition = (day: string, shard: number) => `${chainedPrefix}${day}#${shard}`;
export const chainedKey = (day: string, shard: number, name: string): RowKey => ({
  pk: chainedPartition(day, shard),
  sk: name,
});

/** What a patient is told of when asking to whom the chart was disclosed, in order of the days of disclosure. */
export const disclosurePrefix = 'D#';
export const disclosurePartition = (chart: string) => `${disclosurePrefix}${chart}`;
export const disclosureKey = (chart: string, place: string): RowKey => ({ pk: disclosurePartition(chart), sk: place });
/** What is not to be told for a time: before all days. */
export const suspensionPrefix = '!suspended#';
export const suspensionKey = (chart: string, place: string): RowKey =>
  disclosureKey(chart, `${suspensionPrefix}${place}`);

/** That a chart is kept by a legal hold, or was purged: one of the two, so that neither can come behind the other's back. */
export const keepingKey = (chart: string): RowKey => disclosureKey(chart, '!keeping');
/** Charts whose rows are still to be removed. */
export const purgesPartition = 'P!';
export const purgeKey = (chart: string): RowKey => ({ pk: purgesPartition, sk: chart });
/** How far the walk has come that looks for charts whose time is over. */
export const purgeWalkKey: RowKey = { pk: 'P!walk', sk: 'P' };

/** Who has the time of a person, place or thing (`Type/id`) on a day of UTC. */
export const dayKey = (actor: string, day: string): RowKey => ({ pk: `S#${actor}#${day}`, sk: 'day' });

/** What the Schedules of a person, place or thing (`Type/id`) say of bookings: one row for each. */
export const actorSchedulesPartition = (actor: string) => `S#${actor}`;
export const actorScheduleKey = (actor: string, schedule: string): RowKey => ({
  pk: actorSchedulesPartition(actor),
  sk: schedule,
});

/** What a request that bore a key came to. */
export const requestKey = (hash: string): RowKey => ({ pk: `I#${hash}`, sk: 'I' });
