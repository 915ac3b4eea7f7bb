import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * Takes the place of the SDK's search for credentials in deployed bundles: Lambda gives a function its role's credentials in the
 * environment, and nowhere else. Leaving out the rest (profiles, single sign-on, instance metadata …) saves 100 KB of 540.
 */
export const defaultProvider = fromEnv;
