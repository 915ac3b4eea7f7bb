// What is asked of messages beside reading and writing them.
export { thread } from './thread.ts';
