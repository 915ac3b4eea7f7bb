import type { Interaction } from '../context.ts';

const operation =
  (name: keyof typeof import('./messages.lazy.ts')): Interaction =>
  async (...asked) =>
    (await import('./messages.lazy.ts'))[name](...asked);

/** `GET Communication/{id}/$thread` */
export const thread = operation('thread');
/** `POST Communication/{id}/$read` */
export const markRead = operation('markRead');
/** `GET Communication/$unread` */
export const unread = operation('unread');
/** `POST Communication/{id}/$triage` */
export const triage = operation('triage');
