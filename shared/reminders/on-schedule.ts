import { log } from '../log.ts';
import { documentClient } from '../store/document-client.ts';
import { openStore } from '../store/open-store.ts';
import { remind } from './remind.ts';

/** A handler that looks which reminders are due by now, at the leads that REMINDER_MINUTES names. */
export const remindOnSchedule = () => {
  let client: ReturnType<typeof documentClient> | undefined;
  return async (): Promise<void> => {
    const { TABLE_NAME: tableName, BUCKET_NAME: bucket, REMINDER_MINUTES: leads } = process.env;
    if (!tableName || !bucket || leads === undefined)
      throw new Error('Missing in the environment: TABLE_NAME, BUCKET_NAME, REMINDER_MINUTES');
    client ??= documentClient();
    const store = await openStore(client, tableName, { bucket });
    const count = await remind(store, { minutes: JSON.parse(leads) as number[], now: Date.now() });
    if (count > 0) log.info('found reminders that are due', { count });
  };
};
