import * as z from 'zod/mini';

/** All that one organisation's receiving side differs in from another's. */
const settingsSchema = z.strictObject({
  /** The region of the own bus, such as `us-east-1`. */
  region: z.string().check(z.regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/)),
  /** The organisation's id in Concord's directory. */
  organization: z.string().check(z.regex(/^[A-Za-z0-9\-.]{1,64}$/)),
  /** The one account that may put events on the bus: Concord's. */
  concordAccount: z.string().check(z.regex(/^\d{12}$/)),
  /** Such as `https://concord.example/fhir`. */
  concordUrl: z.string().check(z.regex(/^https:\/\/[^\s?#]+[^/\s?#]$/)),
  /** What `token_endpoint` of Concord's `.well-known/smart-configuration` says. */
  tokenUrl: z.string().check(z.regex(/^https:\/\/[^\s?#]+$/)),
});

export type ReceivingSettings = z.infer<typeof settingsSchema>;

/** @throws ZodError naming what is wrong. */
export const parseSettings = (settings: unknown): ReceivingSettings => settingsSchema.parse(settings);
