import { followPoolEntry, tokenClaimsEntries } from '../local/pool-functions.ts';
import { type DigestResource, holdStatements } from './digest-access.ts';
import { listed } from './grants.ts';
import { followPoolStatements, signInStatements, staffSignInStatements, type TableResource } from './table-access.ts';

/** What the functions of the user pools may do. */
export const signInGrants = listed<{ readonly table: TableResource; readonly digests: DigestResource }>({
  [tokenClaimsEntries.staff]: ({ table, digests }) => [...staffSignInStatements(table), ...holdStatements(digests)],
  [tokenClaimsEntries.patients]: ({ table, digests }) => [...signInStatements(table), ...holdStatements(digests)],
  [followPoolEntry]: ({ table, digests }) => [...followPoolStatements(table), ...holdStatements(digests)],
});
