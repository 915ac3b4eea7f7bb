// Laboratories file some thousand reports a day; reports are read far more often.
export { file } from './file.ts';
export { resolve } from './resolve.ts';
