/** Life of an access token, in seconds, as the user pool issues it: no token is older, so what denies tokens need not last longer. */
export const tokenLifetimeSeconds = 3_600;
