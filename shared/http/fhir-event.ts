import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { Caller } from '../access/caller.ts';
import type { Refusal } from '../audit/refusals.lazy.ts';
import type { FhirRequest } from './fhir-request.ts';

/** A gateway event with what the middleware has found out about it so far. */
export interface FhirEvent extends APIGatewayProxyEvent {
  caller?: Caller;
  fhir?: FhirRequest;
  /** For the log: `read`, `search-type` … */
  interaction?: string;
  recordType?: string;
  /** Entries of a batch that were forbidden. */
  refusals?: Refusal[];
}
