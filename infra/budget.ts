import * as z from 'zod/mini';

/** What a month may cost, and who is told before it does. */
export const budgetSchema = z.strictObject({
  /** For the account, all services together: a stage has an account of its own. docs/cost.md says what to expect. */
  usdPerMonth: z.int().check(z.positive()),
  /** Whom AWS Budgets writes to. */
  emails: z.array(z.email()).check(z.minLength(1), z.maxLength(10)),
});

export type Budget = z.infer<typeof budgetSchema>;
