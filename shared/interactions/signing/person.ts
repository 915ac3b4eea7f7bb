import { parseReference } from '../../fhir/references.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';

/**
 * Whether two names of the directory stand for one person: a Practitioner, and positions that this person holds or held. One read for each position.
 *
 * @param one - `Practitioner/id` or `PractitionerRole/id`, as is the other one.
 */
export const isSamePerson = async (context: RequestContext, one: string, other: string): Promise<boolean> => {
  if (one === other) return true;
  if (![one, other].some(isPosition)) return false;
  const [first, second] = await Promise.all([personOf(context, one), personOf(context, other)]);
  return first !== undefined && first === second;
};

const isPosition = (name: string): boolean => name.startsWith('PractitionerRole/');

/** `Practitioner/id`; undefined for a position that nobody is said to hold. */
const personOf = async (context: RequestContext, name: string): Promise<string | undefined> => {
  if (!isPosition(name)) return name;
  const address = await locate(context, 'PractitionerRole', name.slice('PractitionerRole/'.length));
  const role = address && (await context.store.read(address))?.resource;
  const { practitioner } = (role ?? {}) as Partial<fhir4.PractitionerRole>;
  const parsed = parseReference(practitioner?.reference ?? '', context.request.baseUrl);
  return parsed.kind === 'record' && parsed.type === 'Practitioner' ? `Practitioner/${parsed.id}` : undefined;
};
