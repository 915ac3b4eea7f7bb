/**
 * What the deployment promises itself: service level objectives, over 30 days. Each can be measured by what AWS counts anyway, or by lines of the gateway's log.
 * docs/observability.md says in words what each means and why.
 *
 * @see https://sre.google/workbook/alerting-on-slos/
 */
export type Objective = RequestObjective | MinuteObjective;

interface Common {
  /** Names alarms and lines of the dashboard. */
  readonly name: string;
  /** What is good, in words, for whoever is woken. */
  readonly says: string;
  /** Share of what is to be good, below 1. */
  readonly target: number;
}

/** Of all requests of a kind, how many were good. */
export interface RequestObjective extends Common {
  readonly of: 'requests';
  /** Which requests, as a pattern of lines of the access log; all, by the gateway's own count, if absent. */
  readonly requests?: string;
  /** Which of them were bad: a condition of the pattern; those that were answered 5xx, by the gateway's own count, if absent. */
  readonly bad?: string;
}

/** Of all minutes, how many were good: a minute is bad if its figure is above the limit at any time. A minute without a figure is good, since nothing waits. */
export interface MinuteObjective extends Common {
  readonly of: 'minutes';
  readonly figure: 'age-of-stream' | 'age-of-oldest-wake';
  /** In seconds. */
  readonly limitSeconds: number;
}

/** Time within which a request is answered that reads, and one that writes, in milliseconds; cold starts count. */
export const readWithinMs = 1_000;
export const writeWithinMs = 2_000;

const reads = '($.method = "GET" || $.method = "HEAD")';
const writes = '($.method = "POST" || $.method = "PUT" || $.method = "PATCH" || $.method = "DELETE")';

export const objectives: readonly Objective[] = [
  {
    name: 'Availability',
    says: '99.9 % of requests are answered without a fault of ours (5xx)',
    target: 0.999,
    of: 'requests',
  },
  {
    name: 'Reads',
    says: `99 % of GET and HEAD are answered within ${readWithinMs} ms`,
    target: 0.99,
    of: 'requests',
    requests: reads,
    bad: `$.latencyMs > ${readWithinMs}`,
  },
  {
    name: 'Writes',
    says: `99 % of POST, PUT, PATCH and DELETE are answered within ${writeWithinMs} ms`,
    target: 0.99,
    of: 'requests',
    requests: writes,
    bad: `$.latencyMs > ${writeWithinMs}`,
  },
  {
    name: 'Freshness',
    says: 'in 99 % of minutes no change waits longer than 60 s to be told or filed',
    target: 0.99,
    of: 'minutes',
    figure: 'age-of-stream',
    limitSeconds: 60,
  },
  {
    name: 'Delivery',
    says: 'in 99 % of minutes no Subscription waits longer than 60 s for its turn',
    target: 0.99,
    of: 'minutes',
    figure: 'age-of-oldest-wake',
    limitSeconds: 60,
  },
];

/**
 * How fast the budget of an objective may burn before somebody is told. Both windows must burn: the long one says that it matters, the short one that it goes on.
 */
export interface BurnRate {
  readonly name: string;
  /** Times the rate at which the budget of 30 days would last exactly 30 days. */
  readonly rate: number;
  readonly longMinutes: number;
  readonly shortMinutes: number;
  readonly urgency: string;
}

/** https://sre.google/workbook/alerting-on-slos/#recommended_parameters_for_an_slo_based_alerting_configuration */
export const burnRates: readonly BurnRate[] = [
  {
    name: 'Fast',
    rate: 14.4,
    longMinutes: 60,
    shortMinutes: 5,
    urgency: 'now: a fiftieth of the month is gone in an hour',
  },
  {
    name: 'Middling',
    rate: 6,
    longMinutes: 360,
    shortMinutes: 30,
    urgency: 'now: a twentieth of the month is gone in six hours',
  },
  {
    name: 'Slow',
    rate: 3,
    longMinutes: 1_440,
    shortMinutes: 120,
    urgency: 'by day: a tenth of the month is gone in a day',
  },
];

/** So many bad requests in a window say nothing yet: at night one of ten would be a hundred times too many. */
export const toleratedBadRequests = 4;

/** Share of a window that is bad when its budget burns at a rate. */
export const badShare = ({ target }: Pick<Objective, 'target'>, { rate }: Pick<BurnRate, 'rate'>): number =>
  rate * (1 - target);

/** Bad minutes in a window when its budget burns at a rate, one at least. */
export const badMinutes = (
  objective: Pick<Objective, 'target'>,
  burnRate: Pick<BurnRate, 'rate'>,
  windowMinutes: number,
): number => Math.max(1, Math.ceil(Number((badShare(objective, burnRate) * windowMinutes).toFixed(6))));
