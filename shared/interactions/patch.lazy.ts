// PATCH, which few clients send.
export { patchByCondition, patchRecord } from './patch.ts';
