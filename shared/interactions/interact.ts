import type { Route } from '../http/routes.ts';
import type { Answer, RequestContext, Target } from './context.ts';

const writing = new Set(['create', 'update', 'patch', 'delete']);

/** Carries out what a route stands for, only once if it writes and bears a key (once.ts). */
export const interact = async (
  sent: RequestContext,
  { name, interaction, once, books }: Route,
  target: Target,
): Promise<Answer> => {
  const context = books ? { ...sent, asking: { ...sent.asking, booking: books } } : sent;
  if (context.request.idempotencyKey === undefined || !(once || writing.has(name))) return interaction(context, target);
  return (await import('./once.lazy.ts')).interactOnce(context, interaction, target, once);
};
