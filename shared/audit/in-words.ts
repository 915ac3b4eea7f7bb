import { type AuditEntry, type AuditedInteraction, operationOf } from './audit-row.ts';

/** What a sentence about an access needs besides the entry. All of it is text, nothing is markup. */
export interface Told {
  /** Name of the organisation for which it was done, as the directory has it. */
  readonly organization?: string | undefined;
  /** Name of who did it; the name to sign in with if absent. */
  readonly person?: string | undefined;
  /** True where the one who did it is the one who reads of it. */
  readonly own: boolean;
  /** What it was done with, as far as the reader may know: `the observation “Blood pressure” of 3 May 2026`. */
  readonly things: readonly string[];
  /** What the chart is called towards the reader: `your record`. */
  readonly chart: string;
  readonly refused: boolean;
}

const verbs: Readonly<Record<Exclude<AuditedInteraction, 'operation'>, readonly [did: string, wantedTo: string]>> = {
  create: ['wrote', 'write'],
  read: ['read', 'read'],
  vread: ['read an earlier version of', 'read an earlier version of'],
  update: ['changed', 'change'],
  patch: ['changed', 'change'],
  delete: ['deleted', 'delete'],
  'history-instance': ['looked at the history of', 'look at the history of'],
  'history-type': ['looked at changes of', 'look at changes of'],
  'history-system': ['looked at changes of', 'look at changes of'],
  'search-type': ['searched for', 'search for'],
  'search-system': ['searched', 'search'],
  'sign-in': ['signed in', 'sign in'],
  'sign-out': ['signed out', 'sign out'],
  privilege: ['changed rights in', 'change rights in'],
};

/** What an operation does, by its name. */
const operations: Readonly<Record<string, readonly [did: string, wantedTo: string]>> = {
  $everything: ['read the whole of', 'read the whole of'],
  $summary: ['read a summary of', 'read a summary of'],
  $document: ['made a document of', 'make a document of'],
  $docref: ['looked up the documents of', 'look up the documents of'],
  $lastn: ['looked up the latest observations of', 'look up the latest observations of'],
  $series: ['looked up how results have gone of', 'look up how results have gone of'],
  $match: ['looked for patients like the one of', 'look for patients like the one of'],
  '$emergency-match': ['looked in an emergency for the patient of', 'look in an emergency for the patient of'],
  '$break-glass': ['opened in an emergency', 'open in an emergency'],
  $refile: ['looked, to put records into the right chart, at', 'put records into the right chart, from'],
  $meta: ['looked at the labels of', 'look at the labels of'],
  $withhold: ['looked, to withhold it, at', 'withhold'],
  $release: ['looked, to release it, at', 'release'],
  $disclosures: ['asked about disclosures of', 'ask about disclosures of'],
};

/** Things that a sentence names; the rest is counted. */
export const mostThings = 3;

const months = 'January February March April May June July August September October November December'.split(' ');

/** `26 November 2026`, in UTC. */
export const dayInWords = (time: number): string => {
  const date = new Date(time);
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
};

const list = (things: readonly string[]): string => {
  const named = things.slice(0, mostThings);
  const rest = things.length - named.length;
  const all = rest === 0 ? named : [...named, `${rest} more ${rest === 1 ? 'record' : 'records'}`];
  return all.length < 2 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
};

/** `MedicationRequest` as people say it. */
export const typeInWords = (type: string): string => type.replace(/(?<!^)([A-Z])/g, ' $1').toLowerCase();

const roleNames: Readonly<Record<string, string>> = {
  lab: 'laboratory',
  frontdesk: 'front desk',
  privacy: 'privacy officer',
  admin: 'administrator',
  system: 'application',
  support: 'support',
};

const actorOf = ({ roles, name }: AuditEntry, { own, person, organization }: Told): string => {
  if (own) return 'you';
  const role = roles.map((each) => roleNames[each] ?? each).join(', ');
  return `${role} ${person ?? name}${organization === undefined ? '' : ` of ${organization}`}`;
};

const recordsOf = (type: string): string => `records of the kind “${typeInWords(type)}”`;

/** What was accessed; empty for what needs no object. */
const objectOf = ({ interaction, query = '', refusal }: AuditEntry, { things, chart }: Told): string => {
  if (refusal !== undefined) return query === '' ? 'the system' : recordsOf(query);
  if (interaction === 'sign-in' || interaction === 'sign-out') return '';
  if (things.length > 0) return list(things);
  const searched = /^[A-Z][A-Za-z]+(?=$|\?)/.exec(query)?.[0];
  return interaction === 'search-type' && searched !== undefined ? recordsOf(searched) : chart;
};

/** What came of what was not done. */
const outcomeOf = ({ interaction, refusal }: AuditEntry): string => {
  if (refusal !== undefined) return `may not (${refusal})`;
  return interaction === 'sign-in' ? 'was not let in' : 'was shown nothing';
};

/** The sentence of an access that somebody made here. */
const ofAccess = (entry: AuditEntry, told: Told): string => {
  const { interaction } = entry;
  const operation = operationOf(entry) ?? '';
  const [did, wantedTo] =
    interaction === 'operation'
      ? (operations[operation] ?? [`used ${operation || 'an operation'} on`, `use ${operation || 'an operation'} on`])
      : verbs[interaction];
  const object = objectOf(entry, told);
  const said = (verb: string): string => (object === '' ? verb : `${verb} ${object}`);
  const deed = told.refused || entry.outcome ? `wanted to ${said(wantedTo)}, and ${outcomeOf(entry)}` : said(did);
  return `${actorOf(entry, told)} ${deed}.`;
};

/**
 * An access in one sentence, for people: who did what with which records, when and for whom. https://hl7.org/fhir/R4/narrative.html
 *
 * @returns text, not markup.
 */
export const inWords = (entry: AuditEntry, told: Told): string => {
  const at = new Date(entry.at);
  const { disclosure, suspension } = entry;
  if (disclosure) {
    const { recipient, address, date, description, purpose } = disclosure;
    const to = address === undefined ? recipient : `${recipient} (${address})`;
    return `On ${dayInWords(Date.parse(date))}, this was disclosed to ${to}: ${description}. Purpose: ${purpose}. ${actorOf(entry, told)} recorded it on ${dayInWords(entry.at)}.`;
  }
  const when = `On ${dayInWords(entry.at)} at ${at.toISOString().slice(11, 16)} UTC`;
  if (suspension) {
    const { recipient, organization, until } = suspension;
    const whom = recipient ?? `Organization/${organization}`;
    return `${when}, ${actorOf(entry, told)} recorded that disclosures to ${whom} are not to be told until ${dayInWords(until)}.`;
  }
  return `${when}, ${ofAccess(entry, told)}`;
};

/** Text as a narrative. */
export const narrativeOf = (text: string): fhir4.Narrative => ({
  status: 'generated',
  div: `<div xmlns="http://www.w3.org/1999/xhtml">${escaped(text)}</div>`,
});

/** XML 1.0 has no control characters but these three. https://www.w3.org/TR/xml/#charsets */
const escaped = (text: string): string =>
  text
    .replace(/[^\P{Cc}\t\n\r]|\p{Cs}|[\ufffe\uffff]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
