import type { RefusalCode } from './stable-codes.ts';

/** Every way in which a request can fail on purpose. Each has its row in shared/fhir/operation-outcome.ts. */
export type RecordErrorKind =
  | 'malformed' // 400: not JSON, not a bundle, a bad path
  | 'invalid' // 400: an element or parameter breaks a rule
  | 'unauthenticated' // 401
  | 'forbidden' // 403: scope or role forbids it for the whole type
  | 'not-found' // 404: also whatever the caller may not know of
  | 'method-not-allowed' // 405
  | 'not-acceptable' // 406
  | 'conflict' // 409: changed at the same time, referred to
  | 'deleted' // 410
  | 'version-conflict' // 412: If-Match names another version
  | 'multiple-matches' // 412: a condition that several records meet
  | 'no-match' // 412: a condition that no record meets, where one has to
  | 'too-large' // 413
  | 'unsupported-media-type' // 415
  | 'business-rule' // 422
  | 'too-costly' // 400: would need more reads than a request may make
  | 'throttled' // 429
  | 'unavailable' // 503: what decides about access cannot be asked
  | 'incomplete'; // 500: written, but what leads to it is not yet

/** Where and how a request breaks a rule. */
export interface ErrorDetail {
  /** FHIRPath expression of the element, or the name of the parameter or header. */
  expression?: string;
  message: string;
  /** https://hl7.org/fhir/R4/valueset-issue-type.html; the kind's own code if absent. */
  code?: string;
  /** What programs read beside the words. */
  extension?: fhir4.Extension[];
  /** Whether it is said beside the refusal, and is no error. */
  notice?: true;
}

/**
 * A refusal that the caller is told about. Its message and details hold no patient data.
 * Anything else that is thrown is our fault: 500, and the cause goes to the log alone.
 */
export class RecordError<Kind extends RecordErrorKind = RecordErrorKind> extends Error {
  /** By its name: code that is loaded later, from a file of its own, brings a class of its own. A narrower class has its own instances alone. */
  static override [Symbol.hasInstance]<Class extends abstract new (...given: never[]) => unknown>(
    this: Class,
    value: unknown,
  ): value is InstanceType<Class> {
    return Object.is(this, RecordError)
      ? value instanceof Error && value.name === 'RecordError'
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }

  override readonly name = 'RecordError';
  readonly kind: Kind;
  /** Stable code for programs, sent as `issue.details.coding`. */
  readonly reason: RefusalCode;
  readonly details: readonly ErrorDetail[];
  /** Response headers that the refusal needs, such as `Allow`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    kind: Kind,
    message: string,
    options: {
      reason?: RefusalCode<NoInfer<Kind>>;
      expression?: string;
      details?: readonly ErrorDetail[];
      headers?: Record<string, string>;
    } = {},
  ) {
    super(message);
    this.kind = kind;
    this.reason = options.reason ?? kind;
    this.details = options.details ?? [
      { message, ...(options.expression === undefined ? {} : { expression: options.expression }) },
    ];
    this.headers = options.headers ?? {};
  }
}
