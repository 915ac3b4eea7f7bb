import { ownRoutes } from '../shared/http/own-routes/index.ts';
import { serveBundles } from '../shared/http/serve-bundles.ts';
import { recordTypes } from '../shared/record-types/index.ts';
import { otherRecordTypes } from '../shared/record-types/other.ts';

/** `POST /fhir`: batches and transactions of any type. */
export const handler = serveBundles([...recordTypes, ...otherRecordTypes], ownRoutes);
