import type { Resource } from '../../fhir/resource.ts';
import type { Caller } from '../caller.ts';
import type { Question, TypeQuestion, Verdict } from '../question.ts';
import { type Action, isWithin, type Scope } from '../scopes.ts';

/** Scopes of the caller's token that cover an action on records of a type, or on some of them. */
const scopesFor = ({ scopes, roles }: Caller, action: Action, type: string): Scope[] =>
  scopes.filter(
    (scope) =>
      (scope.level === 'patient') === roles.includes('patient') &&
      (scope.type === '*' || scope.type === type) &&
      scope.actions.has(action),
  );

/** Whether a scope of the caller's token covers an action on records of a type, if only on some of them. */
export const isScoped = (caller: Caller, action: Action, type: string): boolean =>
  scopesFor(caller, action, type).length > 0;

/** Whether a scope of the caller's token covers an action on this record, or on what is to become one. */
export const isInScope = (caller: Caller, action: Action, type: string, resource: Resource | undefined): boolean =>
  scopesFor(caller, action, type).some((scope) => isWithin(scope, resource));

/** Whether what a record says decides if a caller's scopes cover an action on it. */
export const isNarrowed = (caller: Caller, action: Action, type: string): boolean =>
  scopesFor(caller, action, type).every(({ narrowed }) => narrowed.length > 0);

/** A scope of the token covers type and action. */
export const scopeOfType = ({ asking, action, type }: TypeQuestion): Verdict =>
  isScoped(asking.caller, action, type.name) ? undefined : 'scope';

/** A scope of the token covers the record, too, if it is narrowed. */
export const scopeOfRecord = ({ asking, action, type, record }: Question): Verdict =>
  isInScope(asking.caller, action, type.name, record.resource) ? undefined : 'scope';
