export { withoutSettings, written } from './written.ts';
