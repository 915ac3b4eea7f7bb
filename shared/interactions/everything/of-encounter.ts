import { recordsNamedIn } from '../../fhir/references.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Answer, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { requireTypeAccess } from '../require-access.ts';
import { askedPage } from '../searchset.ts';
import { addressed, type Everything, everythingInput, showEverything } from './everything.ts';

/**
 * `Encounter/{id}/$everything`: the visit, whatever refers to it, and what these refer to. All of it stands in one chart: what belongs to another one is
 * mentioned there. Wider than the compartment, so that no element that may name a visit is forgotten.
 * https://hl7.org/fhir/R4/encounter-operation-everything.html
 */
export const everythingOfEncounter = async (
  context: RequestContext,
  id: string,
  { readPage }: Pick<Everything, 'readPage'>,
): Promise<Answer> => {
  requireTypeAccess(context, 'r');
  const page = askedPage(context);
  const input = readInput(context, everythingInput, page?.query);
  const name = `Encounter/${id}`;
  const holds = (record: StoredRecord) =>
    `${record.type}/${record.id}` === name ||
    (record.resource !== undefined && recordsNamedIn(record.resource, context.request.baseUrl).includes(name));
  const address = await addressed(context, id);
  return showEverything(context, { id, address, holds, mentions: true, input, readPage }, page);
};
