import { Logger } from '@aws-lambda-powertools/logger';

/** All that a log line may carry. What identifies or describes a patient has no key here: no id, no path, no query, no body. */
export interface LogFields {
  readonly requestId?: string;
  readonly recordType?: string;
  readonly interaction?: string;
  readonly method?: string;
  readonly statusCode?: number;
  readonly durationMs?: number;
  readonly errorKind?: string;
  readonly reason?: string;
  readonly count?: number;
}

/** What is counted where a row of the access log would be nobody's. */
export type CountedEvent =
  | 'SignInsOfNobody'
  | 'TokensRefused'
  | 'MessagesFiled'
  | 'MessagesWaiting'
  | 'MessagesRejected'
  | 'ChangesUnpublished'
  | 'ChangesRepublished'
  | 'EventsReplayed'
  | 'ReplaysWithheld'
  | 'SubscriptionsFailed'
  | 'AccessesHeld';

const logger = new Logger({ serviceName: 'concord' });

export const log = {
  info: (message: string, fields: LogFields = {}): void => logger.info(message, { ...fields }),
  /** Counts a kind of event: a metric that CloudWatch makes of the line. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
  count: (metric: CountedEvent, times = 1): void =>
    logger.info('counted', {
      _aws: {
        Timestamp: Date.now(),
        CloudWatchMetrics: [
          { Namespace: 'Concord', Dimensions: [['service']], Metrics: [{ Name: metric, Unit: 'Count' }] },
        ],
      },
      [metric]: times,
    }),
  warn: (message: string, fields: LogFields = {}): void => logger.warn(message, { ...fields }),
  /**
   * A fault of ours. Of the error only its name and the places in our code are kept: its message may quote what it was given.
   */
  fault: (message: string, error: unknown, fields: LogFields = {}): void =>
    logger.error(message, {
      ...fields,
      fault: error instanceof Error ? error.name : typeof error,
      at: error instanceof Error ? framesOf(error) : [],
    }),
};

/** The stack repeats the message, which may have lines that look like frames. */
const framesOf = ({ stack = '', message }: Error): string[] =>
  stack
    .slice(stack.indexOf(message) + message.length)
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim());
