import type { TypeQuestion, Verdict } from '../question.ts';
import { roleAllows } from '../roles.ts';

/** One of the caller's roles allows the action on the type. */
export const role = ({ asking, action, type }: TypeQuestion): Verdict =>
  asking.caller.roles.some((each) => roleAllows(each, action, type.name, type.subject, asking.booking))
    ? undefined
    : 'role';
