import { roleSystem } from '../../../shared/access/roles.ts';
import { CommandFailed } from '../command.ts';
import type { FhirServer } from './fhir-server.ts';
import { type StaffUser, type StaffUsers, staffRoles } from './staff-users.ts';
import { Misunderstood } from './verb.ts';

/** Somebody who is to work for an organisation. */
export interface NewStaff {
  readonly email: string;
  readonly given: string;
  readonly family: string;
  readonly role: string;
}

const email = /^[^\s@<>",;]+@[^\s@<>",;]+\.[^\s@<>",;]+$/;

/** Checks what was typed or stands in a line. Throws Misunderstood. */
export const staffFrom = (given: Readonly<Record<keyof NewStaff, string | undefined>>, where = ''): NewStaff => {
  const text = (name: keyof NewStaff): string => {
    const value = given[name]?.trim() ?? '';
    if (value === '') throw new Misunderstood(`${where}${name} is missing`);
    return value;
  };
  const staff = {
    email: text('email').toLowerCase(),
    given: text('given'),
    family: text('family'),
    role: text('role'),
  };
  if (!email.test(staff.email)) throw new Misunderstood(`${where}${staff.email} is no e-mail address`);
  if (!staffRoles.some((role) => role === staff.role))
    throw new Misunderstood(`${where}"${staff.role}" is no role. Roles: ${staffRoles.join(', ')}`);
  return staff;
};

/** The id of somebody's records in the directory: the organisation's, and the part of the address before the @. */
export const directoryIdOf = (organization: string, address: string): string =>
  `${organization}-${(address.split('@')[0] ?? '').replace(/[^A-Za-z0-9\-.]+/g, '-')}`.slice(0, 64);

type WithId<T extends fhir4.FhirResource> = T & { readonly id: string };

/** What the directory says of them: who they are, and what they do for the organisation. */
export const directoryOfStaff = (
  organization: string,
  { email: address, given, family, role }: NewStaff,
): [WithId<fhir4.Practitioner>, WithId<fhir4.PractitionerRole>] => {
  const id = directoryIdOf(organization, address);
  const telecom: fhir4.ContactPoint[] = [{ system: 'email', value: address, use: 'work' }];
  return [
    { resourceType: 'Practitioner', id, active: true, name: [{ use: 'official', family, given: [given] }], telecom },
    {
      resourceType: 'PractitionerRole',
      id,
      active: true,
      practitioner: { reference: `Practitioner/${id}`, display: `${given} ${family}` },
      organization: { reference: `Organization/${organization}` },
      code: [{ coding: [{ system: roleSystem, code: role }] }],
      telecom,
    },
  ];
};

/**
 * Whether the directory has somebody's records. Two addresses may come to one id, and who signs in by another one's record is the other one to every chart and to the access log.
 *
 * @throws CommandFailed where the id is somebody else's.
 */
export const isInDirectory = async (
  fhir: Pick<FhirServer, 'read'>,
  organization: string,
  { email: address }: Pick<NewStaff, 'email'>,
  known: StaffUser | undefined,
): Promise<boolean> => {
  const id = directoryIdOf(organization, address);
  const role = (await fhir.read(`PractitionerRole/${id}`)) as fhir4.PractitionerRole | undefined;
  if (!role) return false;
  const theirs =
    known?.fhirUser === `Practitioner/${id}` || role.telecom?.some(({ value }) => value?.toLowerCase() === address);
  if (theirs && role.organization?.reference === `Organization/${organization}`) return true;
  throw new CommandFailed(`Practitioner/${id} is somebody else: another address, please`);
};

/**
 * Lets somebody sign in, whose records the directory has. Done twice, it changes nothing more.
 *
 * @returns whether they could not before.
 * @throws CommandFailed, such as for one who is known as somebody else's.
 */
export const letSignIn = async (
  users: StaffUsers,
  organization: string,
  { email: address, role }: NewStaff,
  known: StaffUser | undefined,
): Promise<boolean> => {
  const fhirUser = `Practitioner/${directoryIdOf(organization, address)}`;
  if (!known) await users.add({ email: address, organization, fhirUser });
  await users.give(known?.username ?? address, role);
  return known === undefined;
};

/** What keeps somebody who is known already from being entered; undefined if nothing does. Pure. */
export const standsInTheWay = (organization: string, known: StaffUser | undefined): string | undefined => {
  if (!known) return undefined;
  if (known.organization !== organization) return `signs in for ${known.organization || 'nobody'} already`;
  return known.enabled ? undefined : 'is turned off: whoever left gets another account';
};
