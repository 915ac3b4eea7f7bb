import type { Question, Verdict } from '../question.ts';
import { reads } from '../scopes.ts';

/** Directory and availability are for everybody who is signed in, whoever keeps them. */
export const directory = ({ action, type }: Question): Verdict =>
  type.directory && reads(action) ? 'permit' : undefined;
