export { complete } from './complete.ts';
export { download, redirected } from './download.ts';
export { upload } from './upload.ts';
