import * as z from 'zod/mini';
import { type ErrorDetail, RecordError } from '../errors.ts';
import type { Hook } from './services.ts';

const text = z.string().check(z.minLength(1), z.maxLength(1_000));
const fhirId = z.string().check(z.regex(/^[A-Za-z0-9\-.]{1,64}$/));
const resource = z.looseObject({ resourceType: text });

/** More than anybody signs at once; each is compared with all others. */
const mostOrders = 100;

const ofPatient = { userId: text, patientId: fhirId, encounterId: z.optional(z.nullable(fhirId)) };
const draftOrders = z.looseObject({
  resourceType: z.literal('Bundle'),
  entry: z.optional(z.array(z.looseObject({ resource })).check(z.maxLength(mostOrders))),
});
const contexts = {
  'patient-view': z.looseObject(ofPatient),
  'order-select': z.looseObject({ ...ofPatient, selections: z.array(text).check(z.minLength(1)), draftOrders }),
  'order-sign': z.looseObject({ ...ofPatient, draftOrders }),
} satisfies Record<Hook, unknown>;

/** What is asked, as far as it is used. */
export interface HookRequest {
  readonly patientId: string;
  /** Empty for a hook without any. */
  readonly drafts: readonly fhir4.FhirResource[];
  /** References to those of the drafts that are asked about; undefined if all are. */
  readonly selections: readonly string[] | undefined;
}

/**
 * Takes a body for a call of a hook. What it says of servers and tokens elsewhere is ignored, and so is what was prefetched, but for its form.
 *
 * @throws RecordError `malformed`, `invalid` with each place that is wrong.
 * @see https://cds-hooks.hl7.org/2.0/#calling-a-cds-service
 */
export const parseHookRequest = (hook: Hook, body: unknown): HookRequest => {
  const { context } = parsed(
    z.looseObject({
      hook: z.literal(hook),
      hookInstance: z.string().check(z.regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)),
      context: contexts[hook],
      prefetch: z.optional(z.nullable(z.record(text, z.nullable(resource)))),
    }),
    body,
  );
  const { entry = [] } = ('draftOrders' in context ? context.draftOrders : {}) as { entry?: { resource: unknown }[] };
  return {
    patientId: context.patientId,
    drafts: entry.map((each) => each.resource as fhir4.FhirResource),
    selections: 'selections' in context ? (context.selections as string[]) : undefined,
  };
};

/** What became of a card. https://cds-hooks.hl7.org/2.0/#feedback */
export interface Feedback {
  /** Its uuid. */
  readonly card: string;
  readonly outcome: 'accepted' | 'overridden';
  readonly accepted: readonly string[];
  readonly reason: fhir4.Coding | undefined;
  readonly comment: string | undefined;
  /** Instant, as it was sent. */
  readonly at: string;
}

const code = z.string().check(z.regex(/^\S+(?: \S+)*$/), z.maxLength(200));
const coding = z.looseObject({
  code,
  system: z.optional(z.string().check(z.regex(/^\S+$/), z.maxLength(1_000))),
  display: z.optional(text),
});
const uuid = z.string().check(z.regex(/^[0-9a-f-]{36}$/i));
const feedback = z.looseObject({
  feedback: z
    .array(
      z.looseObject({
        card: uuid,
        outcome: z.enum(['accepted', 'overridden']),
        acceptedSuggestions: z.optional(z.array(z.looseObject({ id: uuid }))),
        overrideReason: z.optional(
          z.nullable(
            z.looseObject({
              reason: z.optional(z.nullable(coding)),
              userComment: z.optional(z.nullable(z.string().check(z.maxLength(2_000)))),
            }),
          ),
        ),
        outcomeTimestamp: z.iso.datetime({ offset: true }),
      }),
    )
    .check(z.minLength(1), z.maxLength(mostOrders)),
});

/** @throws RecordError `malformed`, `invalid` with each place that is wrong. */
export const parseFeedback = (body: unknown): readonly Feedback[] =>
  parsed(feedback, body).feedback.map(
    ({ card, outcome, acceptedSuggestions = [], overrideReason, outcomeTimestamp }) => {
      const { code, system, display } = overrideReason?.reason ?? {};
      return {
        card: card.toLowerCase(),
        outcome,
        accepted: acceptedSuggestions.map(({ id }) => id.toLowerCase()),
        reason: code === undefined ? undefined : { code, ...(system && { system }), ...(display && { display }) },
        comment: overrideReason?.userComment?.trim() || undefined,
        at: outcomeTimestamp,
      };
    },
  );

const parsed = <T extends z.ZodMiniType>(schema: T, body: unknown): z.infer<T> => {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new RecordError('malformed', 'The body must be an object of CDS Hooks', { expression: 'body' });
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const details = result.error.issues.map(
    ({ path, code }): ErrorDetail => ({
      expression: placeOf(path),
      message: code === 'too_big' ? 'This is too long' : 'This is missing, or not as CDS Hooks has it',
    }),
  );
  throw new RecordError('invalid', 'The request is not as CDS Hooks has it', { details: details.slice(0, 50) });
};

const placeOf = (path: readonly PropertyKey[]): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '') || 'body';
