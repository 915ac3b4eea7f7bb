import { RecordError } from '../../errors.ts';
import type { Compartments, CompartmentType } from '../../fhir/compartments.lazy.ts';
import type { SearchType } from '../../record-types/search-type.ts';
import { searchTypes } from '../../record-types/search-types.ts';
import { referringTo } from '../../search/joins.ts';
import type { Condition, Criterion } from '../../search/search-query.ts';
import type { Interaction } from '../context.ts';
import { requireTypeAccess } from '../require-access.ts';
import { openSearch, type Scope } from './open.ts';
import { answerSearch } from './search.ts';

/**
 * Search in a compartment: `GET /Patient/{id}/Observation?…` finds what `GET /Observation?…` would, if one of the references that the
 * compartment is made of leads to the patient. Access is decided as for any search of the type; nothing is in the compartment of a record that is not there.
 * https://hl7.org/fhir/R4/compartmentdefinition.html
 */
export const searchCompartment =
  (owner: CompartmentType): Interaction =>
  async (context, { id, type }) => {
    const types = await searchTypes();
    const { recordType: _owner, ...request } = context;
    const { compartments } = await import('../../fhir/compartments.lazy.ts');
    const scope = scopeOf(compartments, owner, id);
    const recordType = types.get(type);
    if (!recordType) throw new RecordError('not-found', 'There is no such resource type', { reason: 'no-such-type' });
    if (!(type in compartments[owner])) {
      const message = `${type} is not part of the compartment of ${owner}`;
      throw new RecordError('invalid', message, { reason: 'not-in-compartment', expression: 'path' });
    }
    if (recordType.subject === 'audit') {
      throw new RecordError('invalid', 'The access log is searched by itself, as AuditEvent?patient=…', {
        reason: 'not-supported',
        expression: 'path',
      });
    }
    const searching = { ...request, recordType };
    requireTypeAccess(searching, 's');
    const { strict } = request.request.prefer;
    return answerSearch(request, (sent) => openSearch(searching, sent, { strict, ...scope }));
  };

/** The compartment as the scope of a search. */
export const scopeOf = (compartments: Compartments, owner: CompartmentType, id: string): Scope => ({
  membership: (recordType) => membership(compartments[owner][recordType.name] ?? [], owner, id, recordType),
  ofPatient: owner === 'Patient',
});

/** What a record of a type meets that is in a compartment. */
const membership = (
  codes: readonly string[],
  owner: CompartmentType,
  id: string,
  recordType: SearchType,
): Condition => {
  const conditions = codes.map((code): Criterion => {
    const parameter = recordType.parameter(code);
    if (!parameter) throw new Error(`${recordType.name} has no parameter ${code}`);
    if (code !== '_id') return referringTo(parameter, [`${owner}/${id}`]);
    const values = [{ type: 'token', system: undefined, code: id }] as const;
    return { kind: 'criterion', name: code, parameter, modifier: undefined, values };
  });
  const [only] = conditions;
  return conditions.length === 1 && only ? only : { kind: 'any', conditions };
};
