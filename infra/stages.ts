import * as z from 'zod/mini';
import { agesByJurisdiction } from '../shared/access/proxies/ages.ts';
import { usualRetention } from '../shared/retention/policy.ts';
import { isFurtherHost } from '../shared/webhooks/further-hosts.ts';
import { backupSchema } from './backups.ts';
import { budgetSchema } from './budget.ts';
import { canarySchema } from './canary.ts';
import { clinicalConcurrency, concurrencySchema } from './concurrency.ts';
import { domainSchema, requireCertificates } from './domain.ts';
import { firewallSchema } from './firewall.ts';
import { partnersOf, partnersSchema } from './partners.ts';
import { recoverySchema, requireOtherRegion } from './recovery-place.ts';
import { requireOneTable, restoredSchema } from './restored-table.ts';
import { signInSchema } from './sign-in-settings.ts';

/** Days for which CloudWatch can keep a log. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const logDays = z.literal([7, 14, 30, 60, 90, 180, 365, 731, 1096, 2192, 2557]);

const positive = z.int().check(z.positive());

/** One deployment of Concord: all in which deployments differ. */
const stageSchema = z.strictObject({
  /** Names the stacks. */
  name: z.string().check(z.regex(/^[a-z][a-z0-9-]{1,19}$/)),
  /** Such as `eu-central-1`. */
  region: z.string().check(z.regex(/^[a-z]{2}(-[a-z]+)+-\d$/)),
  /** Whether tables, keys, pools and logs outlive their stack, and refuse to be deleted. */
  protected: z.boolean(),
  /**
   * `false` closes the door: every request is answered 503 and reaches no function, while a table is restored (docs/runbooks/restore.md). Open, if absent.
   */
  open: z.optional(z.boolean()),
  /** A name of its own; the gateway's, if absent: infra/domain.ts. */
  domain: z.optional(domainSchema),
  /** What of the account's concurrency is kept for whom; nothing, if absent: infra/concurrency.ts. */
  concurrency: z.optional(concurrencySchema),
  /** How often a synthetic patient's day is lived through the API; never, if absent: infra/canary.ts. */
  canary: z.optional(canarySchema),
  /** What the gateway lets through, all callers together. */
  throttling: z.strictObject({ requestsPerSecond: positive, burst: positive }),
  /** What the firewall lets through, each caller by itself: infra/firewall.ts. */
  firewall: firewallSchema,
  /** How far back the table can be restored, in days; as long as bodies that were removed can be had back. */
  recoveryDays: z.int().check(z.gte(1), z.lte(35)),
  /** A second region, which takes over when the first is lost. None, if absent. */
  recovery: recoverySchema,
  backup: backupSchema,
  /**
   * The trail of what is done in the account: `own`, or `account` where there is one already, which the account's own people keep. That users were turned off in Cognito is heard of
   * only where there is one.
   */
  trail: z.enum(['own', 'account']),
  logRetentionDays: logDays,
  /** Days for which nobody can remove or replace a digest of the access log, not even the account itself. */
  digestRetentionDays: z.int().check(z.gte(1), z.lte(36_500)),
  /** Days for which published events are kept, to be decided upon and published again after a loss. Nobody but Concord plays them again. */
  eventArchiveDays: z.int().check(z.gte(1), z.lte(90)),
  /** What a month may cost, and who is told: infra/budget.ts. Nobody, if absent. */
  budget: z.optional(budgetSchema),
  /** Organisations that hear of changes in their own AWS accounts: infra/partners.ts. */
  partners: partnersSchema,
  /** The table that is used instead of the stack's own, after a restore: infra/restored-table.ts. */
  restored: restoredSchema,
  /** How many minutes before an appointment a reminder of it is due: each a reminder of its own, 30 days at most. */
  reminderMinutes: z.array(z.int().check(z.gte(15), z.lte(43_200))),
  /** The deployment's own pack of order checks, a file in the project: see docs/order-checks.md. Concord's own, if absent. */
  knowledgePack: z.optional(z.string().check(z.minLength(1))),
  /** What the network has agreed on: see shared/access/policy.ts. */
  policy: z.strictObject({
    sharing: z.enum(['opt-in', 'treatment']),
    relationDays: positive,
    restrictionDays: positive,
    breakGlassMinutes: z.int().check(z.gte(5), z.lte(720)),
    jurisdiction: z.enum(Object.keys(agesByJurisdiction)),
    /** Years for which charts are kept, an assumption that each network checks against the law of its place: see shared/retention/policy.ts. */
    retention: z.strictObject({
      years: positive,
      yearsOfType: z.record(z.string(), positive),
      majority: positive,
      yearsFromMajority: positive,
    }),
    /** Whether charts whose time is over are purged by themselves, or only told of by `$purge-due`. */
    purges: z.enum(['proposed', 'automatic']),
    /** Hours in which who gave an order by voice or protocol signs it. */
    cosignHours: z.int().check(z.gte(1), z.lte(336)),
    /** Which results are critical, in which time they are acknowledged, and who is on call by organisation: docs/results.md. As usual where it is not said. */
    criticalResults: z.optional(
      z.strictObject({
        acknowledgeMinutes: z.optional(z.int().check(z.gte(1), z.lte(1_440))),
        onCallMinutes: z.optional(z.int().check(z.gte(1), z.lte(1_440))),
        onCall: z.optional(
          z.record(z.string(), z.string().check(z.regex(/^Practitioner(?:Role)?\/[A-Za-z0-9\-.]{1,64}$/))),
        ),
        limits: z.optional(
          z.array(
            z.strictObject({
              codes: z.string().check(z.regex(/^\d+-\d(?: \d+-\d)*$/)),
              unit: z.string().check(z.minLength(1)),
              low: z.optional(z.number()),
              high: z.optional(z.number()),
              source: z.string().check(z.minLength(1)),
            }),
          ),
        ),
      }),
    ),
    uploads: z.strictObject({
      /** Of 1,000,000 bytes, for one upload. S3 copies them while a request waits. */
      largestMegabytes: z.int().check(z.positive(), z.lte(500)),
      /** Who looks into uploads: nobody, GuardDuty, or whoever has this role. See docs/attachments.md. */
      scanner: z.string().check(z.regex(/^(?:none|guardduty|arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+)$/)),
    }),
    sensitiveCodes: z.optional(z.record(z.string(), z.array(z.string().check(z.regex(/^[^|]+\|[^|]+$/))))),
  }),
  /**
   * Where Subscriptions may send notifications besides port 443 of the internet: origins such as `https://hooks.partner.example:8443`, which may have
   * private addresses. None, if absent. See docs/webhooks.md.
   */
  webhooks: z.optional(
    z.strictObject({
      furtherHosts: z.array(z.string().check(z.regex(/^https:/), z.refine(isFurtherHost))),
    }),
  ),
  /** How staff, applications and patients sign in: infra/sign-in-settings.ts. */
  signIn: signInSchema,
});

export type StageConfig = z.infer<typeof stageSchema>;

/** Checks the configuration of a stage. Throws ZodError naming what is wrong. */
export const parseStage = (config: unknown): StageConfig => {
  const stage = stageSchema.parse(config);
  requireOtherRegion(stage);
  requireCertificates(stage);
  requireOneTable(stage);
  return stage;
};

/**
 * Stacks are named by their stage, roles by their stack, and the trail leaves out roles by how their names begin.
 *
 * @throws Error if the name of a stage begins as that of another one does with what follows it.
 */
export const requireDistinctNames = (all: readonly Pick<StageConfig, 'name'>[]): void => {
  for (const { name } of all)
    if (all.some((other) => other.name.startsWith(`${name}-`)))
      throw new Error(`Names of stages begin with "${name}-"`);
};

/** The deployments of this project. A network edits these, or adds its own. */
export const stages: readonly StageConfig[] = [
  {
    name: 'production',
    region: 'us-east-1',
    protected: true,
    canary: { everyMinutes: 5 },
    concurrency: clinicalConcurrency,
    throttling: { requestsPerSecond: 2_000, burst: 4_000 },
    firewall: { perToken: 60_000, perAddress: 150_000, perAddressWithoutToken: 3_000 },
    recoveryDays: 35,
    backup: { dailyDays: 7, monthlyDays: 395 },
    trail: 'own',
    logRetentionDays: 2192, // six years, 45 CFR 164.316(b)(2)(i)
    digestRetentionDays: 2192,
    eventArchiveDays: 14,
    budget: { usdPerMonth: 2_000, emails: ['operations@concord.example'] },
    partners: partnersOf.production,
    reminderMinutes: [1_440],
    policy: {
      sharing: 'opt-in',
      relationDays: 30,
      restrictionDays: 30,
      breakGlassMinutes: 60,
      jurisdiction: 'cautious',
      retention: usualRetention,
      purges: 'proposed',
      cosignHours: 48,
      uploads: { largestMegabytes: 100, scanner: 'guardduty' },
    },
    signIn: {
      secondFactor: 'required',
      plan: 'plus',
      callbackUrls: ['https://concord.example/signed-in'],
      patients: { selfSignUp: false, callbackUrls: ['https://patients.concord.example/signed-in'] },
    },
  },
  {
    name: 'dev',
    region: 'us-east-1',
    protected: false,
    canary: { everyMinutes: 60 },
    throttling: { requestsPerSecond: 50, burst: 100 },
    firewall: { perToken: 15_000, perAddress: 15_000, perAddressWithoutToken: 3_000 },
    recoveryDays: 1,
    backup: { dailyDays: 1, monthlyDays: 2 },
    trail: 'account',
    logRetentionDays: 7,
    digestRetentionDays: 1,
    eventArchiveDays: 1,
    partners: partnersOf.dev,
    reminderMinutes: [1_440],
    policy: {
      sharing: 'opt-in',
      relationDays: 30,
      restrictionDays: 30,
      breakGlassMinutes: 60,
      jurisdiction: 'cautious',
      retention: usualRetention,
      purges: 'proposed',
      cosignHours: 48,
      uploads: { largestMegabytes: 100, scanner: 'none' },
    },
    signIn: {
      secondFactor: 'optional',
      plan: 'essentials',
      callbackUrls: ['http://localhost:8080/signed-in'],
      patients: { selfSignUp: false, callbackUrls: ['http://localhost:8081/signed-in'] },
    },
  },
].map(parseStage);
requireDistinctNames(stages);

/**
 * The configuration of a stage.
 *
 * @throws Error naming the stages that there are.
 */
export const stageNamed = (name: string): StageConfig => {
  const found = stages.find((stage) => stage.name === name);
  if (found) return found;
  throw new Error(`There is no stage "${name}". Stages: ${stages.map((stage) => stage.name).join(', ')}`);
};
