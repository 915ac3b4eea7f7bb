import type { Again } from '../../http/routes.ts';
import type { Interaction } from '../context.ts';

const operations = () => import('./reconciling.lazy.ts');

/** `GET Patient/{id}/$reconcile-medications` */
export const toReconcile: Interaction = async (...asked) => (await operations()).toReconcile(...asked);
/** `POST Patient/{id}/$reconcile-medications` */
export const reconcile: Interaction = async (...asked) => (await operations()).reconcile(...asked);
/** `POST Patient/{id}/$reconcile-medications`, sent again */
export const reconciledAgain: Again = async (...asked) => (await operations()).reconciledAgain(...asked);
