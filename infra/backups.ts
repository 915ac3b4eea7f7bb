import * as z from 'zod/mini';

const days = z.int().check(z.gte(1), z.lte(36_500));

/**
 * Backups beside point-in-time recovery, which is gone with its table and its account: daily ones and those of the first of a month, in a vault from which nobody can remove any before its time. See
 * docs/runbooks/backups-and-drills.md.
 */
export const backupSchema = z
  .strictObject({
    dailyDays: days,
    monthlyDays: days,
    /** ARN of a vault, best of another account and region, which gets a copy of each. Its policy and both organisations have to allow that. */
    copyTo: z.optional(
      z.string().check(z.regex(/^arn:aws[a-z-]*:backup:[a-z0-9-]+:\d{12}:backup-vault:[A-Za-z0-9_-]{2,50}$/)),
    ),
  })
  .check(z.refine(({ dailyDays, monthlyDays }) => monthlyDays > dailyDays));
