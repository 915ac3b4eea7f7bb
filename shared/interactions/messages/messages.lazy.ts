// What is asked of messages beside reading and writing them.
export { markRead } from './mark-read.ts';
export { thread } from './thread.ts';
export { triage } from './triage.ts';
export { unread } from './unread.ts';
