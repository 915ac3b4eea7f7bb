/** Source of what is told what the user pools tell of themselves. */
export const followPoolEntry = 'functions/follow-user-pool.ts';

/** Sources of the pools' pre-token triggers. */
export const tokenClaimsEntries = {
  staff: 'functions/add-token-claims.ts',
  patients: 'functions/add-patient-claims.ts',
} as const;
