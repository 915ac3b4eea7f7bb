export { settingsAnew, withoutSettings, written } from './written.ts';
