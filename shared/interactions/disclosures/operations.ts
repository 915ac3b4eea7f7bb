import type { Again } from '../../http/routes.ts';
import type { Interaction } from '../context.ts';

const operation =
  (name: Exclude<keyof typeof import('./disclosures.lazy.ts'), 'entryAgain'>): Interaction =>
  async (context, target) =>
    (await import('./disclosures.lazy.ts'))[name](context, target);

/** `GET Patient/{id}/$disclosures` */
export const disclosures = operation('listDisclosures');
/** `POST Patient/{id}/$record-disclosure` */
export const recordDisclosure = operation('recordDisclosure');
/** `POST Patient/{id}/$suspend-disclosures` */
export const suspendDisclosures = operation('suspendDisclosures');
/** Either of these, sent again */
export const entryAgain: Again = async (...asked) => (await import('./disclosures.lazy.ts')).entryAgain(...asked);
