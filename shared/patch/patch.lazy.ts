// What a patch needs, and no other request.

export { readFhirPathPatch } from './fhirpath-patch.ts';
export { readJsonPatch } from './json-patch.ts';
export { withoutEmpty } from './json-tree.ts';
