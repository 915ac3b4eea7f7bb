/** Life of an access token, in seconds, as the user pool issues it: no token is older, so what denies tokens need not last longer. */
export const tokenLifetimeSeconds = 3_600;

/** For how long a sign-in can be renewed without a password, in seconds, as the user pool allows it: what denies a sign-in lasts for this and one more token. */
export const renewableSeconds = 12 * 3_600;
