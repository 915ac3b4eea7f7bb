import { decideType } from '../../access/decide.ts';
import { type Readable, type Reading, readableNow, readingForBoth, systemAsking } from '../../changes/readable-now.ts';
import { RecordError } from '../../errors.ts';
import { notificationBundle, type ToldEvent } from '../../notifications/notification-bundle.ts';
import { entriesFor, toldByChart } from '../../notifications/told-entries.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import type { RecordChange } from '../../store/feed/change.ts';
import { jsonBytesOf } from '../../store/rows.ts';
import { notificationsBetween } from '../../store/subscriptions/notifications.ts';
import { mayKnowFound } from '../../subscriptions/found-by-filter.ts';
import { type ContentLevel, contentLevels } from '../../subscriptions/requested.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { type OperationInput, readInput } from '../operation-input.ts';
import { eventNumber } from './event-number.ts';
import { eventsInput } from './input.ts';
import { lookAtSubscription } from './look.ts';
import { about, standing } from './status.ts';

/** Events an answer, and bytes of JSON of their records after which it takes no more. */
const mostEvents = 100;
const mostBytes = 2_000_000;

/** An event that was told, or was to be told. */
interface Numbered {
  readonly number: number;
  readonly change: RecordChange;
}

/**
 * `GET Subscription/{id}/$events?eventsSinceNumber=&eventsUntilNumber=&content=`: events as notifications tell them, whether they were taken or not, a hundred at
 * most from the first number on. It is decided anew what of them may be known: an event that may not be known any more is left out, and its number
 * is missing.
 *
 * https://hl7.org/fhir/uv/subscriptions-backport/STU1.1/OperationDefinition-backport-subscription-events.html
 */
export const events: Interaction = async (context, { id }) => {
  const input = readInput(context, eventsInput);
  const since = Math.max(eventNumber('eventsSinceNumber', input.eventsSinceNumber) ?? 1, 1);
  const until = eventNumber('eventsUntilNumber', input.eventsUntilNumber) ?? Number.POSITIVE_INFINITY;
  const { record, subscription, stored } = await lookAtSubscription(context, id, '$events', 'r');
  const name = { organization: record.custodian, id };
  const state = standing(subscription, stored);
  const last = Math.min(until, state.events, since + mostEvents - 1);
  const content = contentOf(input.content, stored.settings?.content ?? 'id-only');
  const numbered =
    last < since
      ? []
      : (await notificationsBetween(context.store, name, since, last)).flatMap((notification) =>
          notification.changes
            .map((change, index): Numbered => ({ number: notification.first + index, change }))
            .filter(({ number }) => number >= since && number <= last)
            .filter(({ change }) => mayKnowFound(context.asking, notification, change)),
        );
  const { told, behind } = await toldOf(
    context,
    { ...name, content: permitted(context, numbered, content) },
    { numbered, last },
  );
  const bundle = notificationBundle(
    { ...name, ...about(context, stored), content },
    { ...state, type: 'query-event', told },
    { name: `query ${context.now}`, at: context.now },
  );
  const isMore = behind < Math.min(until, state.events);
  return {
    statusCode: 200,
    resource: isMore ? { ...bundle, link: [nextLink(context, id, input, behind + 1)] } : bundle,
  };
};

/** The same, from a later event on. Nothing in it needs to be sealed: whoever follows it is asked anew who they are. */
const nextLink = (
  { request }: Pick<RequestContext, 'request'>,
  id: string,
  input: OperationInput<typeof eventsInput>,
  since: number,
): fhir4.BundleLink => {
  const { eventsUntilNumber, content } = input;
  const query = new URLSearchParams({
    eventsSinceNumber: String(since),
    ...(eventsUntilNumber === undefined ? {} : { eventsUntilNumber }),
    ...(content === undefined ? {} : { content }),
  });
  return { relation: 'next', url: `${request.baseUrl}/Subscription/${id}/$events?${query.toString()}` };
};

/** What is asked for, as far as the Subscription has that. The guide lets a server choose. */
const contentOf = (asked: string | undefined, own: ContentLevel): ContentLevel => {
  if (asked === undefined) return own;
  const level = contentLevels.indexOf(asked as ContentLevel);
  if (level < 0)
    throw new RecordError('invalid', `The content is one of ${contentLevels.join(', ')}`, { expression: 'content' });
  return contentLevels[Math.min(level, contentLevels.indexOf(own))] ?? own;
};

/** Whole records only for who may read them; who may not is told which they are, as by a Subscription of their own. */
const permitted = ({ asking }: RequestContext, numbered: readonly Numbered[], content: ContentLevel): ContentLevel =>
  content === 'full-resource' &&
  numbered.some(({ change }) => !decideType(asking, 'r', factsOfType(change.type)).permit)
    ? 'id-only'
    : content;

interface Telling {
  readonly organization: string;
  readonly id: string;
  readonly content: ContentLevel;
}

const toldOf = async (
  context: RequestContext,
  { organization, id, content }: Telling,
  { numbered, last }: { readonly numbered: readonly Numbered[]; readonly last: number },
): Promise<{ readonly told: readonly ToldEvent[]; readonly behind: number }> => {
  const { store, policy, programmes, now, request, asking, audit } = context;
  const { scopes, roles, fhirUser } = asking.caller;
  const own = systemAsking(organization, { scopes });
  const person = content === 'full-resource' ? systemAsking(organization, { scopes, roles, fhirUser }) : undefined;
  const reading = readingForBoth({ store, policy, programmes, baseUrl: request.baseUrl, now }, own, person);
  const { found, cut } = await readableAmong(reading, numbered, content);
  const readables = found.map(({ readable }) => readable);
  const query = `Subscription/${id}/$events`;
  if (content !== 'empty')
    await audit.record(toldByChart(readables).map((each) => ({ ...each, interaction: 'operation', query })));
  const entryOf = await entriesFor(reading, { organization, content, programmes }, readables);
  const told = found.map(({ number, readable }): ToldEvent => {
    return { number, at: readable.change.updated, entry: entryOf(readable) };
  });
  return { told, behind: cut === undefined ? last : cut - 1 };
};

/** Those that may be known of now, and the number of the first one for which there was no room. */
const readableAmong = async (reading: Reading, numbered: readonly Numbered[], content: ContentLevel) => {
  const found: { readonly number: number; readonly readable: Readable }[] = [];
  let waiting = numbered;
  let bytes = 0;
  while (waiting.length > 0) {
    const { readable, taken } = await readableNow(
      reading,
      waiting.map(({ change }) => change),
      { told: true },
    );
    const byChange = new Map(readable.map((each) => [each.change, each]));
    for (const { number, change } of waiting.slice(0, taken)) {
      const known = byChange.get(change);
      if (!known) continue;
      bytes += content === 'full-resource' ? jsonBytesOf(known.record) : 0;
      if (found.length > 0 && bytes > mostBytes) return { found, cut: number };
      found.push({ number, readable: known });
    }
    waiting = waiting.slice(taken);
  }
  return { found, cut: undefined };
};
