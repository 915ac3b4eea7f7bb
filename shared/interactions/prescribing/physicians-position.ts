import { roleSystem } from '../../access/roles.ts';
import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import { isWithin } from '../../people/licence.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locateAll } from '../locate.ts';
import { positionsOf } from '../work/memberships.ts';
import { prescribers } from './prescribers.ts';

/**
 * Whether the directory of the caller's organisation says that somebody prescribes there: by a PractitionerRole in force that the organisation keeps, with the code of a role that prescribes. It stands for the token, for who gives an order to somebody else shows none. One Query for a Practitioner, and a BatchGet.
 *
 * @param prescriber - `Practitioner/id`, of whom one position is enough, or `PractitionerRole/id`, which is that position.
 * @returns what throws RecordError `forbidden`, `licence-missing`.
 */
export const positionToPrescribe = async (context: RequestContext, prescriber: string): Promise<() => void> => {
  const isPosition = prescriber.startsWith('PractitionerRole/');
  const names = isPosition ? [prescriber] : await positionsOf(context, prescriber);
  const ids = names.map((name) => name.slice('PractitionerRole/'.length));
  const positions = await context.store.readMany(await locateAll(context, 'PractitionerRole', ids));
  return () => {
    if (!positions.some((position) => prescribesHere(context, position)))
      throw new RecordError(
        'forbidden',
        'The directory has no position at your organisation for who gave the order: a PractitionerRole in force with the code physician, which an administrator writes',
        { reason: 'licence-missing' },
      );
  };
};

const prescribesHere = (
  { asking: { caller }, now, request }: RequestContext,
  { custodian, resource }: StoredRecord,
): boolean => {
  if (!resource || custodian !== caller.organization) return false;
  const { active, period, organization, code = [] } = resource as unknown as fhir4.PractitionerRole;
  const place = parseReference(organization?.reference ?? '', request.baseUrl);
  const isHere =
    organization?.reference === undefined ||
    (place.kind === 'record' && place.type === 'Organization' && place.id === caller.organization);
  const codings = code.flatMap(({ coding = [] }) => coding);
  return (
    isHere &&
    active !== false &&
    isWithin(period, now) &&
    codings.some((each) => each.system === roleSystem && each.code !== undefined && prescribers.includes(each.code))
  );
};
