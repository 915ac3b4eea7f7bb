import * as z from 'zod/mini';

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
