import { explain } from '../../access/explanation.ts';
import { isPsychotherapyNote } from '../../access/labels.ts';
import { isInScope, isScoped } from '../../access/rules/scope.ts';
import type { Action } from '../../access/scopes.ts';
import { RecordError } from '../../errors.ts';
import type { RecordType } from '../../record-types/define-record-type.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { readInput } from '../operation-input.ts';
import { named } from '../record-named.ts';
import { factsOfRecord } from '../security-context.ts';
import { describedCaller, type SearchDirectory } from './described-caller.ts';
import { explainAccessInput } from './input.ts';

/** What can be asked about, by the word and by the letter of a scope. */
const actions: Readonly<Record<string, Action>> = {
  create: 'c',
  read: 'r',
  update: 'u',
  delete: 'd',
  search: 's',
  c: 'c',
  r: 'r',
  u: 'u',
  d: 'd',
  s: 's',
};

/** What it takes of the function that has it. */
export interface Served {
  readonly typeNamed: (name: string) => RecordType | undefined;
  readonly search: Interaction;
}

/**
 * `POST $explain-access`: whether somebody may do something with a record, and the path through the rules to it. For privacy officers and administrators of the organisation that keeps
 * the record. It is the decision itself, listened to, and tells codes, rules and names of rights: nothing of what the record says.
 *
 * @throws RecordError `forbidden` by role or scope; `not-found` for what is not kept by the asker's organisation, or is not there; `invalid`.
 */
export const explainAccess = async (
  context: Omit<RequestContext, 'recordType'>,
  { typeNamed, search }: Served,
): Promise<Answer> => {
  const { asking, audit, store } = context;
  const { organization, roles } = asking.caller;
  if (!roles.some((role) => role === 'privacy' || role === 'admin'))
    throw new RecordError('forbidden', 'Privacy officers and administrators have access explained', {
      reason: 'forbidden-role',
    });
  const input = readInput(context, explainAccessInput);
  const action = Object.hasOwn(actions, input.action) ? actions[input.action] : undefined;
  if (!action) throw invalid('action', 'The action is create, read, update, delete or search');
  const name = named(context, input.record, 'record');
  const [type = '', id = ''] = name.split('/');
  const recordType = typeNamed(type);
  if (!recordType) throw invalid('record', 'This is a reference to a record of this server');
  if (!isScoped(asking.caller, 'r', type))
    throw new RecordError('forbidden', `No scope of the access token covers this for ${type}`, {
      reason: 'forbidden-scope',
    });
  const directory: SearchDirectory = async (searched, query) => {
    const ofType = typeNamed(searched);
    if (!ofType) return [];
    const request = { ...context.request, method: 'GET', query, body: undefined };
    const { resource } = await search({ ...context, request, recordType: ofType }, { id: '', version: '', type: '' });
    return ((resource as fhir4.Bundle).entry ?? []).map((entry) => entry.resource);
  };
  const described = await describedCaller(context, input, directory);
  const address = await locate(context, type, id);
  if (!address) throw notFound(type);
  const mayAsk = (found: StoredRecord | undefined): found is StoredRecord =>
    found !== undefined &&
    found.custodian === organization &&
    // Nobody but privacy officers is told that there is one.
    (roles.includes('privacy') || !(found.originators || found.labels.some(isPsychotherapyNote))) &&
    isInScope(asking.caller, 'r', type, found.resource);
  const record = await audit.traced(
    {
      interaction: 'operation',
      chart: address.chart,
      what: [name],
      query: `$explain-access?caller=${described.caller.fhirUser}&action=${input.action}&record=${name}`,
    },
    () => store.read(address),
    (found) => {
      if (!mayAsk(found)) throw notFound(type);
    },
  );
  if (!mayAsk(record)) throw notFound(type);
  const sharing = context.sharing.as(described);
  await sharing.lookUp([record]);
  const facts = factsOfRecord({ ...context, asking: described }, record);
  const { decision, answer, basis, path } = explain(described, action, recordType, facts, sharing.of(record));
  const { caller } = described;
  return {
    statusCode: 200,
    resource: {
      resourceType: 'Parameters',
      parameter: [
        { name: 'decision', valueCode: decision.permit ? 'permit' : 'deny' },
        ...(decision.permit ? [] : [{ name: 'reason', valueCode: decision.reason }]),
        { name: 'answer', valueCode: answer },
        ...(basis ? [{ name: 'basis', valueCode: basis }] : []),
        ...path.map(({ rule, verdict, sentence }) => ({
          name: 'rule',
          part: [
            { name: 'name', valueCode: rule },
            { name: 'outcome', valueCode: verdict === undefined ? 'pass' : verdict === 'permit' ? 'permit' : 'deny' },
            ...(verdict === undefined || verdict === 'permit' ? [] : [{ name: 'reason', valueCode: verdict }]),
            { name: 'sentence', valueString: sentence },
          ],
        })),
        {
          name: 'caller',
          part: [
            { name: 'fhirUser', valueReference: { reference: caller.fhirUser } },
            ...(caller.organization === undefined
              ? []
              : [{ name: 'organization', valueReference: { reference: `Organization/${caller.organization}` } }]),
            ...caller.roles.map((valueCode) => ({ name: 'role', valueCode })),
          ],
        },
      ],
    },
  };
};

const notFound = (type: string) => new RecordError('not-found', `There is no such ${type}`);

const invalid = (expression: string, message: string) => new RecordError('invalid', message, { expression });
