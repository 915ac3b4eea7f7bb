import * as z from 'zod/mini';
import { appointmentChangedType } from '../shared/changes/appointment-changed.ts';
import { breakGlassOpenedType } from '../shared/changes/break-glass-opened.ts';
import { consentChangedType } from '../shared/changes/consent-changed.ts';
import { eventSource, recordChangedType } from '../shared/changes/record-changed.ts';
import { reminderDueType } from '../shared/changes/reminder-due.ts';

/** Every kind of event that Concord sends: `detail-type` of the contracts in events/. */
export const eventTypes = [
  recordChangedType,
  appointmentChangedType,
  reminderDueType,
  consentChangedType,
  breakGlassOpenedType,
] as const;

/** Recipient of what every signed-in caller of the network may read: the directory. */
export const everyOrganization = '*';

/** An organisation of the network that hears of changes on an event bus in its own AWS account. */
const partnerSchema = z.strictObject({
  /** Its id in Concord's directory, which an event names as its `recipient`. */
  organization: z.string().check(z.regex(/^[A-Za-z0-9\-.]{1,64}$/)),
  /** Its bus, such as `arn:aws:events:eu-central-1:111122223333:event-bus/concord-changes`. It may be in another region. */
  busArn: z.string().check(z.regex(/^arn:aws:events:[a-z]{2}(?:-[a-z]+)+-\d:\d{12}:event-bus\/[\w.-]{1,256}$/)),
  /** The kinds of events that it wants; all, if absent. */
  eventTypes: z.optional(z.array(z.enum(eventTypes)).check(z.minLength(1))),
});

export type Partner = z.infer<typeof partnerSchema>;

/** The partners of a stage, each organisation once. */
export const partnersSchema = z.array(partnerSchema).check(
  z.refine((partners) => new Set(partners.map(({ organization }) => organization)).size === partners.length, {
    error: 'an organisation is a partner once',
  }),
);

/** The partners of each stage. A network edits these: docs/partners.md says what else a partner needs. */
export const partnersOf = { production: [], dev: [] } as const satisfies Readonly<Record<string, readonly Partner[]>>;

/** What EventBridge adds to an event that comes out of an archive. */
const replayed = 'replay-name';

/**
 * What reaches a partner: events for its own organisation and for every organisation, as they were published. What an archive plays
 * again was decided upon when it was archived, so it reaches nobody before it is decided upon anew.
 */
export const patternFor = ({
  organization,
  eventTypes: wanted = [...eventTypes],
}: Pick<Partner, 'organization' | 'eventTypes'>) => ({
  source: [eventSource],
  'detail-type': [...wanted],
  detail: { recipient: [organization, everyOrganization] },
  [replayed]: [{ exists: false }],
});

/** What an archive plays again. */
export const replayedPattern = {
  source: [eventSource],
  'detail-type': [...eventTypes],
  [replayed]: [{ exists: true }],
};
