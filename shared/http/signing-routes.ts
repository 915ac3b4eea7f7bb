import { retract, sign } from '../interactions/signing/operations.ts';
import { ownOperation } from './own-operation.ts';
import type { Route } from './routes.ts';

/** What can be asked of the types that are signed. */
export const signingRoutes = (type: string): Route[] => [
  ownOperation('POST', `${type}/{id}/$sign`, sign, 'u'),
  ownOperation('POST', `${type}/{id}/$retract`, retract, 'u'),
];
