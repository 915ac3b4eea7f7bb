import * as z from 'zod/mini';
import { type Role, roles } from './caller.ts';

/**
 * A hospital whose own sign-on staff use: whose staff they are is said here and not by the hospital's answer, so that none of them speaks for another organisation; so is
 * what its groups come to.
 */
const federatedSchema = z.record(
  z.string(),
  z.object({ organization: z.string(), roles: z.record(z.string(), z.enum(roles)) }),
);
export type Federation = z.infer<typeof federatedSchema>;
export type FederatedHospital = Federation[string];

/**
 * What the environment says of hospitals that sign on by themselves, as JSON by the name of their provider.
 *
 * @throws ZodError for anything else.
 */
export const federationFrom = (text: string | undefined): Federation => federatedSchema.parse(JSON.parse(text ?? '{}'));

/** How Cognito tells which providers a user comes from: the attribute `identities`, which neither users nor applications can write. */
const identitiesSchema = z.array(z.object({ providerName: z.string() }));

/**
 * The hospital that a user signs on by; undefined for who has a password of the pool.
 *
 * @throws Error for a provider that nobody has described, or for two of them.
 */
export const hospitalOf = (identities: string | undefined, federation: Federation): FederatedHospital | undefined => {
  if (identities === undefined) return undefined;
  const [provider, ...more] = identitiesSchema.parse(JSON.parse(identities));
  if (provider === undefined) return undefined;
  const hospital = Object.hasOwn(federation, provider.providerName) ? federation[provider.providerName] : undefined;
  if (hospital === undefined || more.length > 0)
    throw new Error('The sign-on of the user is not one that is known here');
  return hospital;
};

/** Groups as a provider names them: a list in brackets, as Cognito keeps several values, or parted by commas. */
const groupsIn = (text: string): string[] =>
  text
    .replace(/^\[|\]$/g, '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

/** Roles that a hospital's groups come to. Others of its groups do not matter. */
export const rolesByGroups = (groups: string | undefined, hospital: FederatedHospital): Role[] => {
  const named = groupsIn(groups ?? '').flatMap((group) =>
    Object.hasOwn(hospital.roles, group) ? [hospital.roles[group]] : [],
  );
  return roles.filter((role) => named.includes(role));
};
