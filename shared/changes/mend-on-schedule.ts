import { log } from '../log.ts';
import { ServiceAway } from './parking.ts';
import { type Publisher, publishRows } from './publish.ts';
import { publisherFrom } from './publisher.ts';
import { reconcile } from './reconcile.ts';
import { retell } from './retell.ts';
import { type PublishRows, retryParked } from './retry-parked.ts';

const minuteMs = 60_000;

/** After so long no more is begun: the next run goes on (infra/local/scheduler.ts tells when). */
const retryForMs = 4 * minuteMs;
const reconcileForMs = 10 * minuteMs;

/** Publishes rows as they came out of the stream, and does not take it for done if the bus refuses some of it. */
export const publishing =
  (publisher: Publisher): PublishRows =>
  async (rows) => {
    if ((await publishRows(publisher, rows)) !== undefined) throw new ServiceAway('The bus refused events');
  };

const within = (milliseconds: number): (() => boolean) => {
  const end = Date.now() + milliseconds;
  return () => Date.now() < end;
};

/** A handler that publishes charts that were parked, and tells once more of what was passed over. */
export const retryOnSchedule = () => async (): Promise<void> => {
  const publisher = await publisherFrom(process.env);
  const options = { now: Date.now(), proceed: within(retryForMs) };
  const { unparked, left } = await retryParked(publisher.store, publishing(publisher), options);
  if (unparked > 0) log.info('published charts that were parked', { count: unparked });
  if (left > 0) log.warn('charts are parked: their changes are not published', { count: left });
  const { retold, left: unread } = await retell(publisher, options.proceed);
  if (retold > 0) log.info('told once more of versions that could not be read', { count: retold });
  if (unread > 0) log.warn('versions that were told cannot be read', { count: unread });
};

/**
 * A handler that compares charts with the feed.
 *
 * @throws Error if some could not be compared; all others were.
 */
export const reconcileOnSchedule = () => async (): Promise<void> => {
  const publisher = await publisherFrom(process.env);
  const options = { now: Date.now(), proceed: within(reconcileForMs) };
  const { charts, republished, closed, failed } = await reconcile(publisher.store, publishing(publisher), options);
  if (charts > 0) log.info('compared charts with the feed', { count: charts });
  if (republished > 0) log.warn('published versions that the feed lacked', { count: republished });
  if (closed > 0) log.info('closed gaps of the feed', { count: closed });
  if (failed > 0) throw new Error('Charts could not be compared with the feed');
};
