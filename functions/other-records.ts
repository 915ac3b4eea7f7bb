import { codeSystemRoutes } from '../shared/http/own-routes/code-system.ts';
import { valueSetRoutes } from '../shared/http/own-routes/value-set.ts';
import { serveRecords } from '../shared/http/serve-records.ts';
import { otherRecordTypes } from '../shared/record-types/other.ts';

/** Every R4 type that has no function of its own. */
export const handler = serveRecords(otherRecordTypes, { ...codeSystemRoutes, ...valueSetRoutes });
