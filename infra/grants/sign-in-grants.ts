import { followPoolEntry, tokenClaimsEntries } from '../local/pool-functions.ts';
import { listed } from './grants.ts';
import { followPoolStatements, signInStatements, staffSignInStatements, type TableResource } from './table-access.ts';

/** What the functions of the user pools may do. */
export const signInGrants = listed<{ readonly table: TableResource }>({
  [tokenClaimsEntries.staff]: ({ table }) => staffSignInStatements(table),
  [tokenClaimsEntries.patients]: ({ table }) => signInStatements(table),
  [followPoolEntry]: ({ table }) => followPoolStatements(table),
});
