import { type Caller, type Role, roles } from '../../access/caller.ts';
import type { Asking } from '../../access/question.ts';
import { roleSystem } from '../../access/roles.ts';
import { parseScopes } from '../../access/scopes.ts';
import { isSupport } from '../../access/support.ts';
import { RecordError } from '../../errors.ts';
import { askingFor, isProxy } from '../asking-for.ts';
import type { RequestContext } from '../context.ts';
import type { OperationInput } from '../operation-input.ts';
import { named } from '../record-named.ts';
import type { explainAccessInput } from './input.ts';

/** The resources of a search of the directory. */
export type SearchDirectory = (type: string, query: readonly (readonly [string, string])[]) => Promise<unknown[]>;

type Described = Pick<
  OperationInput<typeof explainAccessInput>,
  'caller' | 'organization' | 'patient' | 'role' | 'scope'
>;

/**
 * Who is meant: what a token would say of such a caller. What is not given is taken from the directory, for which organisation and in which roles the person works there, and
 * scopes are those of an application that may do all that the role may.
 *
 * @throws RecordError `invalid` for what is no caller, or does not say enough; for narrowed scopes, by which what a record says could be guessed.
 */
export const describedCaller = async (
  context: Omit<RequestContext, 'recordType'>,
  described: Described,
  search: SearchDirectory,
): Promise<Asking> => {
  const fhirUser = named(context, described.caller, 'caller');
  const itself = fhirUser.startsWith('Patient/') ? fhirUser : undefined;
  const patient = described.patient ? named(context, described.patient, 'patient', 'Patient') : itself;
  const isPatient = patient !== undefined;
  const given = described.organization && named(context, described.organization, 'organization', 'Organization');
  const works = isPatient || (given !== undefined && described.role.length > 0) ? [] : await worksOf(fhirUser, search);
  const [only, ...others] = new Set(works.map((each) => each.organization));
  const organization = isPatient ? undefined : (given ?? (others.length === 0 ? only : undefined));
  const found = works.flatMap((each) => (each.organization === organization ? each.roles : []));
  const all = isPatient ? ['patient'] : described.role.length > 0 ? described.role : [...new Set(found)];
  if (!all.every(isRole)) throw invalid('role', `The roles are ${roles.join(', ')}`);
  if (isPatient ? described.role.some((role) => role !== 'patient') : all.includes('patient'))
    throw invalid('role', 'A patient is a patient alone');
  if (!isPatient && organization === undefined)
    throw invalid('organization', 'The directory does not tell for which organisation this caller works');
  if (all.length === 0) throw invalid('role', 'The directory does not tell in which role this caller works');
  const scopes = parseScopes(described.scope ?? usualScopes(all));
  if (scopes.some(({ narrowed }) => narrowed.length > 0))
    throw invalid('scope', 'Narrowed scopes are not explained, for they would tell what the record says');
  const caller: Caller = {
    subject: '',
    name: '',
    client: '',
    organization: organization?.slice('Organization/'.length),
    roles: all,
    scopes,
    fhirUser,
    patient: patient?.slice('Patient/'.length),
  };
  if (!context.asking.caller.roles.includes('privacy') && (isSupport(caller) || isProxy(caller)))
    throw new RecordError('forbidden', 'Privacy officers alone ask about support and about who acts for a patient', {
      reason: 'forbidden-role',
    });
  const { roles: own, organization: home } = context.asking.caller;
  if (!own.includes('privacy') && caller.organization !== home)
    throw new RecordError('forbidden', 'Privacy officers alone ask about callers of other organisations', {
      reason: 'forbidden-role',
    });
  return (await askingFor(context.store, caller, context)).asking;
};

const isRole = (name: string): name is Role => roles.some((role) => role === name);

const usualScopes = (all: readonly Role[]): string =>
  `${all.includes('patient') ? 'patient' : all.includes('system') ? 'system' : 'user'}/*.cruds`;

interface Work {
  readonly organization: string;
  readonly roles: readonly string[];
}

/** Where somebody works now, as the directory tells it. */
const worksOf = async (fhirUser: string, search: SearchDirectory): Promise<Work[]> => {
  if (!fhirUser.startsWith('Practitioner/')) return [];
  const found = (await search('PractitionerRole', [['practitioner', fhirUser]])) as fhir4.PractitionerRole[];
  return found.flatMap(({ active, organization, code = [] }) => {
    const { reference = '' } = organization ?? {};
    const codes = code.flatMap(({ coding = [] }) =>
      coding.flatMap((each) => (each.system === roleSystem && each.code !== undefined ? [each.code] : [])),
    );
    return active === false || !reference.startsWith('Organization/')
      ? []
      : [{ organization: reference, roles: codes }];
  });
};

const invalid = (expression: string, message: string) => new RecordError('invalid', message, { expression });
