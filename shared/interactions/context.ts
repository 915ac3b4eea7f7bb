import type { Policy } from '../access/policy.ts';
import type { Asking } from '../access/question.ts';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { Resource } from '../fhir/resource.ts';
import type { FhirRequest } from '../http/fhir-request.ts';
import type { RecordType } from '../record-types/define-record-type.ts';
import type { Address, Row } from '../store/keys.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { PlannedWrite } from './plan-write.ts';
import type { SharedCharts } from './shared-charts.ts';
import type { View } from './view.ts';

/** What was read beside the decision of a chart whose results may change. */
export interface ReviewsAhead {
  /** What the row says that reviews and changes of results write (review-guard.ts). */
  readonly guarded: readonly string[];
  readonly reports: readonly StoredRecord[];
  /** The charts of the person. */
  readonly charts: readonly string[];
}

/** By which address whoever asks knows this server: where nobody has sent a request, it is given. */
export interface Addressed {
  readonly request: Pick<FhirRequest, 'baseUrl'>;
}

/** What an interaction works with. */
export interface RequestContext {
  readonly recordType: RecordType;
  readonly store: RecordStore;
  readonly asking: Asking;
  /** What patients' Consents permit of charts that other organisations keep. */
  readonly sharing: SharedCharts;
  /** What the caller is shown of a record. */
  readonly view: View;
  /** What the network has agreed on. */
  readonly policy: Policy;
  /** Which parameters of a type are unknown to who asks, for they look at what is not shown; none if absent. */
  readonly hidesParameter?: ((type: string, parameter: string) => boolean) | undefined;
  /** `Type/id` of the network's substance-use programmes. */
  readonly programmes: ReadonlySet<string>;
  /** `Encounter/id` of visits to programmes, as far as a write of this request was refused for them (look-again.ts): what names one is a programme's. */
  readonly visitsToProgrammes: Set<string>;
  readonly audit: AuditTrail;
  /** Milliseconds since 1970; one instant for the whole request. */
  readonly now: number;
  readonly request: FhirRequest;
  /** Given where the request bears a key and is carried out once. */
  readonly once?: Once | undefined;
  /** Where the records are that the same transaction creates, by `Type/id`. */
  readonly known: ReadonlyMap<string, Address>;
  /** What the same transaction is to say of a record, `Type/id`; undefined if it does not write it. */
  readonly saying?: ((name: string) => Resource | undefined) | undefined;
  /** Orders, by `ServiceRequest/id`, and all tasks of charts that were read beside the decision, with what changes of results in a chart look at. Who looks again reads anew (save.ts). */
  readonly ahead?:
    | {
        readonly orders: ReadonlyMap<string, StoredRecord>;
        readonly tasks: ReadonlyMap<string, readonly StoredRecord[]>;
        readonly reviews?: ReadonlyMap<string, ReviewsAhead>;
      }
    | undefined;
  /** Of which records the request must not tell whether there are any: these are nowhere. Not given where all may be looked up. */
  readonly unseen?: ((type: string, id: string) => boolean) | undefined;
}

/** A request that is carried out once, however often it is sent. */
export interface Once {
  /**
   * What keeps the answers, to be claimed by the commit that makes them true.
   *
   * @throws RecordError `too-large`.
   */
  readonly rowFor: (answers: readonly Answer[]) => Row;
  /** Whether its answer was kept, together with what it wrote. */
  kept: boolean;
}

/** What a request names in its path. */
export interface Target {
  readonly id: string;
  readonly version: string;
  /** The type that is searched in a compartment. */
  readonly type: string;
}

/** What an interaction answers with, before it is turned into HTTP or into an entry of a bundle. */
export interface Answer {
  readonly statusCode: number;
  readonly resource?:
    | Resource
    | fhir4.Bundle
    | fhir4.CapabilityStatement
    | fhir4.OperationOutcome
    | fhir4.Parameters
    | fhir4.TerminologyCapabilities
    | fhir4.ValueSet;
  /** What is sent instead of a resource. */
  readonly content?: { readonly type: string; readonly bytes: Buffer };
  readonly headers?: Readonly<Record<string, string>>;
  /** When the version was written that the answer is about, in milliseconds since 1970. HTTP tells it in seconds, an entry of a bundle does not. */
  readonly updated?: number;
  /** What is to be said beside the resource: warnings about what was written. */
  readonly warnings?: fhir4.OperationOutcome;
}

/** One FHIR interaction: what it is given and what it answers. Refusals are thrown as RecordError. */
export type Interaction = (context: RequestContext, target: Target) => Promise<Answer>;

/** An interaction that writes, planned: what it would write, and its answer once that is written. */
export type PlannedInteraction = (
  context: RequestContext,
  target: Target,
) => Promise<{ readonly plans: readonly PlannedWrite[]; readonly answer: Answer }>;
