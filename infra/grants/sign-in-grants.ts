import { followPoolEntry, tokenClaimsEntry } from '../local/user-pool.ts';
import { listed } from './grants.ts';
import { followPoolStatements, signInStatements, type TableResource } from './table-access.ts';

/** What the functions of a user pool may do. */
export const signInGrants = listed<{ readonly table: TableResource }>({
  [tokenClaimsEntry]: ({ table }) => signInStatements(table),
  [followPoolEntry]: ({ table }) => followPoolStatements(table),
});
