import { RecordError } from '../../errors.ts';
import { patient } from '../../record-types/patient.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { lookAt } from '../look-at.ts';
import { factTypes } from '../order-checks/facts.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from '../require-access.ts';

type Context = Omit<RequestContext, 'recordType'>;

/**
 * Requires somebody of an organisation who may read all that is looked at, whatever the chart: a check of a part of it that nobody can see would look like one of the whole.
 *
 * @returns the organisation.
 * @throws RecordError `forbidden`.
 */
export const requireAsker = ({ asking }: Context): string => {
  for (const type of ['Patient', ...factTypes]) requireTypeAccess({ asking, recordType: factsOfType(type) }, 'r');
  const { organization } = asking.caller;
  if (organization !== undefined) return organization;
  throw new RecordError('forbidden', 'These services are for those who treat patients', { reason: 'forbidden-role' });
};

/**
 * The patient, whom the caller may see. The look leaves its trace.
 *
 * @param beside - what is read of the chart meanwhile; nothing of it is told, nor how it fails, where the patient is not to be seen.
 * @throws RecordError `not-found`, as of a patient who does not exist.
 */
export const lookAtPatient = async <T>(
  context: Context,
  id: string,
  query: string,
  beside: (chart: string) => Promise<T>,
): Promise<{ readonly record: StoredRecord; readonly beside: T }> => {
  const own = { ...context, recordType: patient };
  const address = await locate(context, 'Patient', id);
  if (!address) throw notFound(own);
  const reading = beside(address.chart);
  reading.catch(() => undefined);
  const look = {
    interaction: 'operation',
    what: [`Patient/${id}`],
    query,
    may: (last: StoredRecord) => mayAccess(own, 'r', last),
  } as const;
  const found = await lookAt(own, address, look, (record) => void requireReadable(own, record));
  return { record: requireReadable(own, found), beside: await reading };
};
