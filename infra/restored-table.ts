import * as z from 'zod/mini';
import type { Recovery } from './recovery-place.ts';

/**
 * The table that a stage uses instead of its stack's own: one that was restored to a moment, and made fit to be used. `npm run admin -- restore check` prints it; docs/runbooks/restore.md
 * says how it comes about. The stack keeps its own table, which nobody writes to any more.
 */
export const restoredSchema = z.optional(
  z
    .strictObject({
      tableName: z.string().check(z.regex(/^[\w.-]{3,255}$/)),
      streamArn: z
        .string()
        .check(
          z.regex(/^arn:aws[a-z-]*:dynamodb:[a-z]{2}(?:-[a-z]+)+-\d:\d{12}:table\/[\w.-]{3,255}\/stream\/[\dT:.-]+$/),
        ),
    })
    .check(
      z.refine(({ tableName, streamArn }) => streamArn.includes(`:table/${tableName}/stream/`), {
        error: 'the stream is of another table',
        path: ['streamArn'],
      }),
    ),
);

export type RestoredTable = z.infer<typeof restoredSchema>;

/**
 * A restored table has no replica, and what stands in the second region is that of the stack's own table: it would go on serving what was left behind. Before a restore the recovery is taken out.
 *
 * @throws Error for a stage with both, or with a table of another region.
 */
export const requireOneTable = ({ region, restored, recovery }: Stored): void => {
  if (!restored) return;
  if (recovery)
    throw new Error('A restored table has no replica: take out `recovery` first (docs/runbooks/restore.md)');
  const other = restored.streamArn.split(':')[3];
  if (other !== region) throw new Error(`The restored table is in ${other}, and the stage in ${region}`);
};

interface Stored {
  readonly region: string;
  readonly restored?: RestoredTable;
  readonly recovery?: Recovery | undefined;
}
