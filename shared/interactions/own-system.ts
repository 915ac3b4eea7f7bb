import type { Asking } from '../access/question.ts';
import { parseScopes } from '../access/scopes.ts';
import type { RequestContext } from './context.ts';

const everything = parseScopes('system/*.cruds');

/** An organisation's own system, in whose name is written and looked up what no caller may. */
export const systemOf = ({ asking }: Pick<RequestContext, 'asking'>, organization: string): Asking => ({
  caller: { ...asking.caller, organization, patient: undefined, roles: ['system'], scopes: everything },
  chart: undefined,
});
