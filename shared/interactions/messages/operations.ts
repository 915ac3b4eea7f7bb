import type { Interaction } from '../context.ts';

/** `GET Communication/{id}/$thread` */
export const thread: Interaction = async (...asked) => (await import('./messages.lazy.ts')).thread(...asked);
