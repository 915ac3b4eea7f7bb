import type { Interaction } from '../context.ts';

const operation =
  (name: keyof typeof import('./booking.lazy.ts')): Interaction =>
  async (context, target) =>
    (await import('./booking.lazy.ts'))[name](context, target);

/** `POST Appointment/$find` */
export const find = operation('find');
/** `POST Appointment/$hold` */
export const hold = operation('hold');
/** `POST Appointment/{id}/$reschedule` */
export const reschedule = operation('reschedule');
/** `POST Appointment/{id}/$cancel` */
export const cancel = operation('cancel');
/** `POST Appointment/{id}/$check-in` */
export const checkIn = operation('checkIn');
/** `POST Appointment/{id}/$no-show` */
export const noShow = operation('noShow');
/** `POST Appointment/$book` */
export const book = operation('book');
/** `POST Appointment/$offer` */
export const offerTime = operation('offerTime');
/** `POST Appointment/{id}/$decline` */
export const decline = operation('decline');
