import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import { isWithin, whyNotLicensed } from '../../people/licence.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';

/**
 * Whether who signs is licensed by the directory, beyond the role of the token; a position that signs is in force, and held by somebody who is. One read of a Practitioner, and another one before it for
 * a position, which may go beside others.
 *
 * @param signer - `Practitioner/id` or `PractitionerRole/id`.
 * @returns what throws RecordError `forbidden`, `licence-missing`, naming what is missing.
 */
export const licenceOf = async (context: RequestContext, signer: string): Promise<() => void> => {
  const why = await whyNot(context, signer);
  return () => {
    if (why !== undefined) throw new RecordError('forbidden', why, { reason: 'licence-missing' });
  };
};

const whyNot = async (context: RequestContext, signer: string): Promise<string | undefined> => {
  if (!signer.startsWith('PractitionerRole/')) return whyNotHolder(context, signer);
  const { active, period, practitioner } = ((await read(context, signer)) ?? {}) as Partial<fhir4.PractitionerRole>;
  if (active === false || !isWithin(period, context.now))
    return 'The position of who prescribes is not in force: PractitionerRole.active, period';
  const named = parseReference(practitioner?.reference ?? '', context.request.baseUrl);
  return whyNotHolder(context, named.kind === 'record' ? `${named.type}/${named.id}` : '');
};

const whyNotHolder = async (context: RequestContext, person: string): Promise<string | undefined> =>
  whyNotLicensed((await read(context, person)) as fhir4.Practitioner | undefined, context.now);

const read = async (context: RequestContext, name: string): Promise<unknown> => {
  const [type = '', id = ''] = name.split('/');
  const address = type.startsWith('Practitioner') ? await locate(context, type, id) : undefined;
  return address && (await context.store.read(address))?.resource;
};
