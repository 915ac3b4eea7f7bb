import { type Feedback, parseFeedback } from '../../cds-hooks/hook-request.ts';
import type { Hook } from '../../cds-hooks/services.ts';
import { stringifyJson } from '../../fhir/json.ts';
import type { Resource } from '../../fhir/resource.ts';
import { detectedIssue } from '../../record-types/detected-issue.ts';
import { linkedPage } from '../../store/linked-page.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { lookAgain } from '../look-again.ts';
import { seenOf } from '../order-checks/facts.ts';
import { guardOf } from '../order-checks/guard.ts';
import { labelsOfRecords } from '../order-checks/labels-of-finding.ts';
import { detectedIssueOf, ruleOf, ruleToldBy } from '../order-checks/told.ts';
import { isWithdrawnIssue } from '../order-checks/told-before.ts';
import { systemOf } from '../own-system.ts';
import { newPlace, type PlannedWrite, planCreate, planUpdate } from '../plan-write.ts';
import { save } from '../save.ts';
import { lookAtPatient, requireAsker } from './asker.ts';
import { type KeptCard, keptCards, suggestionOf } from './kept-cards.ts';

type Context = Omit<RequestContext, 'recordType'>;
type Issue = fhir4.DetectedIssue;

/**
 * Takes what became of cards. Each leaves its trace; what was found is kept as a DetectedIssue with what was done about it as its mitigation, by who gave the feedback: that of the same finding where
 * there is one, such as of an order from elsewhere, else a new one. The same feedback twice changes nothing. Of what is there no more, or
 * hidden by now, the trace is all.
 *
 * @throws RecordError `forbidden`, `malformed`, `invalid`, `not-found`.
 * @see https://cds-hooks.hl7.org/2.0/#feedback
 */
export const takeFeedback = async (context: Context, hook: Hook): Promise<void> => {
  const organization = requireAsker(context);
  const given = parseFeedback(context.request.body);
  const about = await Promise.all(
    given.map(async (feedback) => ({ feedback, ...(await keptCards(context, hook, feedback.card)) })),
  );
  // Of several patients one may not be to be seen any more: then nothing is kept of any.
  const looked = [...Map.groupBy(about, ({ patient }) => patient)].map(async ([patient, each]) => {
    const outcomes = each.map(({ feedback: { card, outcome, reason } }) =>
      [
        `card=${card}`,
        `outcome=${outcome}`,
        ...(reason ? [`reason=${encodeURIComponent(reason.code ?? '')}`] : []),
      ].join('&'),
    );
    const query = `cds-services/${hook}/feedback?${outcomes.join('&')}`;
    const { record } = await lookAtPatient(context, patient, query, async () => undefined);
    return { where: { organization, patient, chart: record.chart }, each };
  });
  for (const { where, each } of await Promise.all(looked))
    await lookAgain(async () => keep(context, where, await standing(context, each)));
};

interface Given {
  readonly feedback: Feedback;
  readonly card: KeptCard;
}

/**
 * Cards as far as what they told of is still there for who got them, with the labels that it bears now: of a record that was taken out of a wrong chart, or closed, since then no word is to be written
 * again.
 */
const standing = async (context: Context, given: readonly Given[]): Promise<readonly Given[]> => {
  const seen = await seenOf(context, [...new Set(given.flatMap(({ card }) => card.clash?.implicated ?? []))]);
  const each = given.map(async ({ feedback, card }): Promise<Given[]> => {
    if (!card.clash) return [];
    const records = card.clash.implicated.flatMap((name) => seen.get(name) ?? []);
    if (records.length < card.clash.implicated.length) return [];
    const security = [...card.clash.security, ...(await labelsOfRecords(context, records))];
    const labels = new Map(security.map((label) => [`${label.system}|${label.code}`, label]));
    return [{ feedback, card: { ...card, clash: { ...card.clash, security: [...labels.values()] } } }];
  });
  return (await Promise.all(each)).flat();
};

interface Kept {
  readonly previous: StoredRecord | undefined;
  issue: Issue;
  isChanged: boolean;
}

const keep = async (
  context: Context,
  where: { readonly organization: string; readonly patient: string; readonly chart: string },
  given: readonly Given[],
): Promise<void> => {
  const { organization, patient, chart } = where;
  if (given.length === 0) return;
  const own = { ...context, recordType: detectedIssue, asking: systemOf(context, organization) };
  const guard = await guardOf(context, chart, organization);
  const { items } = await linkedPage(context.store.whole, chart, 'DetectedIssue', {});
  const kept = items.flatMap(({ record }): Kept[] => {
    const issue = record.resource as unknown as Issue | undefined;
    const theirs = record.custodian === organization && issue && !isWithdrawnIssue(issue);
    return theirs ? [{ previous: record, issue, isChanged: false }] : [];
  });
  for (const { feedback, card } of given) {
    if (!card.clash) continue;
    const { finding, implicated, security } = card.clash;
    const found =
      kept.find(({ issue }) => bears(issue, feedback.card)) ?? kept.find(({ issue }) => tellsOf(issue, card));
    if (!found) {
      const now = context.now;
      const issue = detectedIssueOf(finding, { implicated, patient: `Patient/${patient}`, now, security });
      kept.push({ previous: undefined, isChanged: true, issue: joined(issue as unknown as Issue, feedback, context) });
      continue;
    }
    const issue = joined(found.issue, feedback, context);
    if (issue === found.issue) continue;
    found.issue = issue;
    found.isChanged = true;
  }
  const plans = await Promise.all(
    kept
      .filter(({ isChanged }) => isChanged)
      .map(async ({ previous, issue }): Promise<PlannedWrite> => {
        const parsed = { resource: issue as unknown as Resource, warnings: [] };
        const plan = previous
          ? await planUpdate(own, parsed, previous)
          : await planCreate(own, parsed, await newPlace(own, parsed.resource));
        return { ...plan, checks: [] }; // what it names was found in the chart
      }),
  );
  const [first, ...others] = plans;
  if (first) await save(context, [{ ...first, guards: [...first.guards, guard(first.next)] }, ...others]);
};

const urn = (card: string): fhir4.Identifier => ({ system: 'urn:ietf:rfc:3986', value: `urn:uuid:${card}` });

const bears = ({ identifier = [] }: Issue, card: string): boolean =>
  identifier.some(({ value }) => value === urn(card).value);

/** Whether an issue tells of the same finding, of the same stored records. */
const tellsOf = (issue: Issue, { clash }: KeptCard): boolean => {
  if (!clash || clash.implicated.length === 0 || ruleToldBy(issue) !== ruleOf(clash.finding)) return false;
  const named = (issue.implicated ?? []).map(({ reference }) => reference ?? '');
  return named.toSorted().join(' ') === clash.implicated.toSorted().join(' ');
};

/** An issue with what was done about it; itself, if it says so already. */
const joined = (issue: Issue, feedback: Feedback, { now, asking }: Context): Issue => {
  const { identifier = [], mitigation = [] } = issue;
  const action = actionOf(feedback);
  if (bears(issue, feedback.card) && mitigation.some((each) => stringifyJson(each.action) === stringifyJson(action)))
    return issue;
  const { fhirUser } = asking.caller;
  const author = /^Practitioner(?:Role)?\//.test(fhirUser) ? { author: { reference: fhirUser } } : {};
  // A clock that is ahead says nothing of tomorrow.
  const date = Date.parse(feedback.at) <= now ? feedback.at : new Date(now).toISOString();
  return {
    ...issue,
    identifier: bears(issue, feedback.card) ? identifier : [...identifier, urn(feedback.card)],
    mitigation: [...mitigation, { action, date, ...author }],
  };
};

const actionOf = ({ outcome, card, accepted, reason, comment }: Feedback): fhir4.CodeableConcept => {
  if (outcome === 'accepted')
    return { text: accepted.includes(suggestionOf(card)) ? 'Accepted: Do not order it' : 'Accepted' };
  return {
    ...(reason ? { coding: [reason] } : {}),
    text: comment ?? reason?.display ?? reason?.code ?? 'Overridden; no reason was given',
  };
};
