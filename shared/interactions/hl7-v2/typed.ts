import type { RecordType } from '../../record-types/define-record-type.ts';
import type { RequestContext } from '../context.ts';

/** What messages are filed with: the request, and the types of records that they tell of. */
export interface FilingContext extends Omit<RequestContext, 'recordType'> {
  readonly typeNamed: (name: string) => RecordType;
}

/** The context of a write of one type, as if it had been sent by itself. */
export const contextOf = (
  context: FilingContext,
  type: string,
  request: Partial<RequestContext['request']> = {},
): RequestContext => ({
  ...context,
  recordType: context.typeNamed(type),
  request: {
    ...context.request,
    method: 'PUT',
    path: [type],
    query: [],
    body: undefined,
    ifMatch: undefined,
    ifNoneExist: undefined,
    ...request,
  },
});

/** A search by an identifier, as a condition has it. */
export const byIdentifier = ({ system, value }: { readonly system: string; readonly value: string }): string =>
  new URLSearchParams({ identifier: identifierToken({ system, value }) }).toString();

/** The same as the value of a parameter. */
export const identifierToken = ({ system, value }: { readonly system: string; readonly value: string }): string =>
  `${escapedToken(system)}|${escapedToken(value)}`;

/** Signs that part a token, or several. https://hl7.org/fhir/R4/search.html#escaping */
const escapedToken = (text: string): string => text.replace(/[\\,$|]/g, '\\$&');
