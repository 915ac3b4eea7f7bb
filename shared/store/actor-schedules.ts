import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { type ActorSchedule, type ActorScheduleRow, actorScheduleLayouts } from './actor-schedule-rows.ts';
import { inParallel } from './in-parallel.ts';
import { actorSchedulesPartition } from './keys.ts';
import type { RecordStore } from './record-store.ts';

const concurrency = 16;
/** Schedules of one actor that are looked at. */
const mostSchedules = 100;

/** Schedules in use, by actor (`Type/id`). A call for each actor, beside one another. */
export const schedulesOf = async (
  { client, tableName }: RecordStore,
  actors: readonly string[],
): Promise<Map<string, readonly ActorSchedule[]>> => {
  const each = await inParallel(concurrency, actors, async (actor) => {
    const { Items = [] } = await client.send(
      new QueryCommand({
        TableName: tableName,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': actorSchedulesPartition(actor) },
        Limit: mostSchedules,
      }),
    );
    const rows = Items as ActorScheduleRow[];
    return [actor, rows.map((row) => actorScheduleLayouts.reader(row.layout)(row))] as const;
  });
  return new Map(each);
};
