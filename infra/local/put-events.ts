import { ServiceError } from './aws-services.ts';

/** One entry that the bus takes. */
export interface AcceptedEntry {
  readonly source: string;
  readonly detailType: string;
  readonly detail: object;
  readonly resources: readonly string[];
  /** Milliseconds since 1970; the time of arrival if absent. */
  readonly time: number | undefined;
}

export type PutEventsResultEntry =
  | { readonly EventId: string }
  | { readonly ErrorCode: string; readonly ErrorMessage: string };

const mostEntries = 10;
/** All entries of one request together, in bytes. */
const largestRequest = 256 * 1024;
const longestDetailType = 128;

/**
 * Decides on a request to EventBridge as the service does: whole requests fail for their number or size, entries fail one by one.
 *
 * @returns the accepted entries in order, and for each entry of the request its refusal, or undefined if it was accepted.
 * @throws ServiceError `ValidationException`.
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
export const putEvents = (input: Readonly<Record<string, unknown>>, busName: string) => {
  const entries = input.Entries;
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > mostEntries) {
    throw new ServiceError(
      'ValidationException',
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${mostEntries}`,
    );
  }
  const decided = (entries as unknown[]).map((entry) => decide(new Map(Object.entries(entry ?? {})), busName));
  if (decided.reduce((sum, { size }) => sum + size, 0) > largestRequest) {
    throw new ServiceError('ValidationException', 'Total size of the entries in the request is over the limit.');
  }
  return {
    accepted: decided.flatMap(({ accepted }) => (accepted ? [accepted] : [])),
    results: decided.map(({ refusal }) => refusal),
  };
};

interface Decision {
  /** Counts towards the limit of a request, in bytes. */
  readonly size: number;
  readonly accepted?: AcceptedEntry;
  readonly refusal?: { readonly ErrorCode: string; readonly ErrorMessage: string };
}

const decide = (entry: ReadonlyMap<string, unknown>, busName: string): Decision => {
  const source = text(entry, 'Source');
  const detailType = text(entry, 'DetailType');
  const detail = text(entry, 'Detail');
  const named = entry.get('Resources');
  const resources = Array.isArray(named) ? named.map(String) : [];
  const time = entry.get('Time');
  const size = sizeOf([source, detailType, detail, ...resources]) + (time === undefined ? 0 : 14);
  const refuse = (ErrorCode: string, ErrorMessage: string) => ({ size, refusal: { ErrorCode, ErrorMessage } });
  const missing = Object.entries({ Source: source, DetailType: detailType, Detail: detail }).find(
    ([, value]) => !value,
  );
  if (missing) {
    const [name] = missing;
    return refuse('InvalidArgument', `Parameter ${name} is not valid. Reason: ${name} is a required argument.`);
  }
  if (source.startsWith('aws.')) return refuse('NotAuthorizedForSourceException', 'Not authorized for the source.');
  if (detailType.length > longestDetailType) {
    return refuse('InvalidArgument', 'Parameter DetailType is not valid. Reason: DetailType is too long.');
  }
  const bus = text(entry, 'EventBusName') || 'default';
  if (bus !== busName && !bus.endsWith(`:event-bus/${busName}`)) {
    // An event on a bus that nobody reads would be lost without a word.
    return refuse('InvalidArgument', `Parameter EventBusName is not valid. Reason: event bus ${bus} does not exist.`);
  }
  const parsed = parseObject(detail);
  if (!parsed) return refuse('MalformedDetail', 'Detail is malformed.');
  return {
    size,
    accepted: {
      source,
      detailType,
      detail: parsed,
      resources,
      time: typeof time === 'number' ? time * 1_000 : undefined, // the protocol sends seconds
    },
  };
};

const text = (entry: ReadonlyMap<string, unknown>, name: string): string => {
  const value = entry.get(name);
  return typeof value === 'string' ? value : '';
};

const sizeOf = (values: readonly string[]) => values.reduce((sum, value) => sum + Buffer.byteLength(value), 0);

const parseObject = (json: string): object | undefined => {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
};
