import { type Federation, hospitalOf } from '../access/federation.ts';
import { staffRoles, type TokenEvent } from '../access/token-claims.ts';
import type { Application } from '../store/applications.ts';
import type { SignsIn } from './sign-ins.ts';

// Who the access log says that asked for a token, whether there was one or not: what the pool knows, as far as it does.

/** A member of staff; undefined for who is no user of the pool. */
export const staffWhoSignsIn = (event: TokenEvent, federation: Federation): SignsIn | undefined => {
  const user = userOf(event);
  const { identities, 'custom:organization': entered } = event.request.userAttributes ?? {};
  const organization = known(() => hospitalOf(identities, federation)?.organization) ?? entered;
  return (
    user && {
      ...user,
      roles: known(() => staffRoles(event, federation)) ?? [],
      ...(organization === undefined ? {} : { organization }),
    }
  );
};

/** A patient, or who acts for one; undefined for who is no user of the pool. */
export const patientWhoSignsIn = (event: TokenEvent): SignsIn | undefined => {
  const user = userOf(event);
  const patient = event.request.userAttributes?.['custom:patient'];
  return user && { ...user, roles: ['patient'], ...(patient === undefined ? {} : { patient }) };
};

/** An application by its own credentials; undefined for one that nobody has entered. */
export const applicationThatSignsIn = (application: Application | undefined): SignsIn | undefined =>
  application && {
    subject: application.client, // as it is in the token
    name: application.name,
    client: application.client,
    fhirUser: application.fhirUser,
    roles: ['system'],
    organization: application.organization,
  };

const userOf = ({ userName, callerContext, request }: TokenEvent): Omit<SignsIn, 'roles'> | undefined => {
  const { sub, 'custom:fhirUser': fhirUser = '' } = request.userAttributes ?? {};
  if (sub === undefined) return undefined;
  return { subject: sub, name: userName, client: callerContext.clientId, fhirUser };
};

/** What cannot be told of somebody is left out: the refusal that comes of it has its row all the same. */
const known = <T>(tell: () => T): T | undefined => {
  try {
    return tell();
  } catch {
    return undefined;
  }
};
