import * as z from 'zod/mini';
import { roles } from '../shared/access/caller.ts';

const callbackUrls = z.array(z.string().check(z.regex(/^https:\/\/|^http:\/\/localhost[:/]/))).check(z.minLength(1));

const staffRole = z.enum(roles.filter((role) => role !== 'patient' && role !== 'system'));

const hospital = {
  /** Names the provider in the pool and in the sign-in pages. https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateIdentityProvider.html */
  name: z.string().check(z.regex(/^[A-Z][A-Za-z0-9-]{2,31}$/)),
  /** Whose staff sign on by it: said here, and not by the hospital's answer. */
  organization: z.string().check(z.regex(/^[A-Za-z0-9\-.]{1,64}$/)),
  /** Roles by the hospital's groups. Who is in none of them gets no token. Cognito lists groups with commas, so that none with one can be told: of a directory's groups the plain names are sent. */
  roles: z.record(z.string().check(z.regex(/^[^,[\]]+$/)), staffRole),
  /** What the hospital's answer calls the groups and the e-mail address. */
  claims: z.strictObject({ groups: z.string().check(z.minLength(1)), email: z.string().check(z.minLength(1)) }),
};

const https = z.string().check(z.regex(/^https:\/\/[^\s]+$/));

const federated = z.discriminatedUnion('protocol', [
  z.strictObject({ protocol: z.literal('saml'), ...hospital, metadataUrl: https }),
  z.strictObject({
    protocol: z.literal('oidc'),
    ...hospital,
    issuer: https,
    clientId: z.string().check(z.minLength(1)),
    /** Secret of Secrets Manager whose field `clientSecret` holds what the hospital has given. */
    secretName: z.string().check(z.regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/)),
    scopes: z.array(z.string().check(z.minLength(1))),
  }),
]);
export type FederatedHospital = z.infer<typeof federated>;

/** All functions of a trigger share 4 KB of environment: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
const longestFederation = 3_000;

/** The hospitals, as the pre-token trigger is told of them. */
export const federationText = (hospitals: readonly FederatedHospital[]): string =>
  JSON.stringify(
    Object.fromEntries(hospitals.map(({ name, organization, roles: by }) => [name, { organization, roles: by }])),
  );

/** How people sign in at a deployment. */
export const signInSchema = z.strictObject({
  /** Whether staff must show a second factor. Staff who sign on at their hospital show it there. */
  secondFactor: z.enum(['required', 'optional']),
  /** Cognito's plan. Threat protection and its log of failed sign-ins need `plus`; `essentials` is the least that adds claims to access tokens. */
  plan: z.enum(['plus', 'essentials']),
  /** Where the sign-in pages may send staff back to. */
  callbackUrls,
  /** Hospitals whose staff use their own sign-on: docs/sign-in.md. */
  federation: z.optional(
    z.array(federated).check(
      z.refine((hospitals) => new Set(hospitals.map(({ name }) => name)).size === hospitals.length),
      z.refine((hospitals) => federationText(hospitals).length <= longestFederation),
    ),
  ),
  patients: z.strictObject({
    /** Whether patients may make an account by themselves. It opens nothing before somebody has entered whose chart it is for. */
    selfSignUp: z.boolean(),
    /** Where their sign-in pages may send them back to. */
    callbackUrls,
  }),
});
export type SignInSettings = z.infer<typeof signInSchema>;
