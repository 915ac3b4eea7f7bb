import { parseReference } from '../../fhir/references.ts';
import { keyText, partitionFor } from '../../store/index-rows.ts';
import { network, type RowKey } from '../../store/keys.ts';
import type { StoredRecord } from '../../store/rows.ts';
import { rowsBetween } from '../../store/rows-between.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';

/** Positions that somebody may have whose work is listed. */
const mostPositions = 20;

/** `PractitionerRole/id` of who somebody is in the directory. One Query. */
export const positionsOf = async (
  { store }: Pick<RequestContext, 'store'>,
  fhirUser: string,
): Promise<readonly string[]> => {
  const pk = partitionFor(store, network, 'PractitionerRole', 'practitioner', 'reference', keyText(fhirUser));
  const { rows } = await rowsBetween(store, { pk, from: '#', to: '#~', limit: mostPositions });
  return rows.map(({ sk }: RowKey) => `PractitionerRole/${sk.slice(1)}`);
};

/**
 * Whether somebody belongs to a group: takes part in a care team, or holds a position.
 *
 * @param name - `Type/id`.
 */
export const belongsTo = async (context: RequestContext, name: string): Promise<boolean> => {
  const { caller } = context.asking;
  const [type = '', id = ''] = name.split('/');
  const address = await locate(context, type, id);
  const record = address && (await context.store.read(address));
  return record?.resource !== undefined && isMember(context, record, caller.fhirUser);
};

const isMember = ({ request }: RequestContext, { type, resource }: StoredRecord, fhirUser: string): boolean => {
  const isHim = (reference: fhir4.Reference | undefined): boolean => {
    const parsed = parseReference(reference?.reference ?? '', request.baseUrl);
    return parsed.kind === 'record' && `${parsed.type}/${parsed.id}` === fhirUser;
  };
  if (type === 'PractitionerRole') return isHim((resource as unknown as fhir4.PractitionerRole).practitioner);
  const { participant = [] } = resource as unknown as fhir4.CareTeam;
  return type === 'CareTeam' && participant.some(({ member }) => isHim(member));
};
