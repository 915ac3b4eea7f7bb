/**
 * What the ids of the local pools end in. A pool of Cognito has nine letters and digits behind the region, so none of them can be called so.
 * https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_UserPoolType.html
 */
export const localPoolNames = { staff: 'ConcordLocalStaff', patients: 'ConcordLocalPatients' } as const;

/** Whether a pool is the local stand-in's, by its id. Cognito tells it of itself, so nobody can set it. */
const isLocal = (userPoolId: string): boolean =>
  Object.values(localPoolNames).some((name) => userPoolId.endsWith(`_${name}`));

/**
 * Refuses a token to the users of the local stack, whose password is printed at each start, in any pool that is deployed. All that ends in `.example` is nobody's:
 * https://www.rfc-editor.org/rfc/rfc2606#section-2
 *
 * @param names - by which somebody may be known to the pool.
 * @throws Error, which Cognito shows to the person who signs in.
 */
export const refuseDemoUser = (userPoolId: string, names: readonly (string | undefined)[]): void => {
  if (isLocal(userPoolId) || !names.some((name) => /@(?:[^@]+\.)?example$/i.test(name ?? ''))) return;
  throw new Error('Users of the demonstration get no token here');
};
