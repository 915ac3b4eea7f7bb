import * as z from 'zod/mini';

/** Who may deploy a stage from where. */
const settingsSchema = z.strictObject({
  /** Name of the stage, as in infra/stages.ts. */
  stage: z.string().check(z.regex(/^[a-z][a-z0-9-]{1,19}$/)),
  /** Region of the stage. */
  region: z.string().check(z.regex(/^[a-z]{2}(-[a-z]+)+-\d$/)),
  /** The repository on GitHub, `owner/name`, whole: no pattern. */
  repository: z.string().check(z.regex(/^[A-Za-z0-9-]+\/[\w.-]+$/)),
  /** The branch whose runs may compare. */
  branch: z.string().check(z.regex(/^[\w./-]+$/)),
  /** An account has one provider of identities for an address: its ARN, where there is one already. Made, if absent. */
  providerArn: z.optional(
    z.string().check(z.regex(/^arn:aws[a-z-]*:iam::\d{12}:oidc-provider\/token\.actions\.githubusercontent\.com$/)),
  ),
});

export type DeployerSettings = z.infer<typeof settingsSchema>;

/** Checks settings. Throws ZodError naming what is wrong. */
export const parseSettings = (settings: unknown): DeployerSettings => settingsSchema.parse(settings);
