import * as z from 'zod/mini';

/** Where a stage runs: in its own region, or in that of its recovery. */
export type Place = 'here' | 'there';

/**
 * A second region that holds what the first does, and takes over when the first is lost. Exactly one of them may write. See docs/runbooks/fail-over.md, which says in which order these change.
 *
 * - `writer`: which region may write; the policy of the table refuses everybody else's writes in the other one, or in both. Absent only while the replica is made: CloudFormation cannot make
 *   a replica in another region and give it a policy in one update.
 *   https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-considerations.html
 * - `standby`: has the whole of Concord deployed there. Its two names are known only once the replicas are there.
 */
export const recoverySchema = z.optional(
  z.strictObject({
    region: z.string().check(z.regex(/^[a-z]{2}(-[a-z]+)+-\d$/)),
    writer: z.optional(z.enum(['here', 'there', 'nobody'])),
    standby: z.optional(
      z.strictObject({
        /** Of the replica of the table. */
        streamArn: z
          .string()
          .check(z.regex(/^arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table\/[\w.-]+\/stream\/[\d:T.-]+$/)),
        /** Of the key of the secrets of Subscriptions: an output of the stack of records. */
        secretsKeyId: z.string().check(z.regex(/^mrk-[0-9a-f]{32}$/)),
      }),
    ),
  }),
);

export type Recovery = NonNullable<z.infer<typeof recoverySchema>>;

/** @throws Error if the second region is the first, what is named in it lies elsewhere, or it is to write and nothing is deployed there. */
export const requireOtherRegion = ({ region, recovery }: { region: string; recovery?: Recovery | undefined }): void => {
  if (!recovery) return;
  if (recovery.region === region) throw new Error('A recovery needs another region');
  if (recovery.writer === 'there' && !recovery.standby) throw new Error('Only a standby can write there');
  if (recovery.standby && recovery.standby.streamArn.split(':')[3] !== recovery.region)
    throw new Error('The stream of a standby is that of the replica, in the region of the recovery');
};

/** Whether functions of this place are to work by themselves: consume the stream, follow schedules. In the other place their writes would be refused. */
export const worksAt = (place: Place, recovery: Recovery | undefined): boolean =>
  recovery === undefined ? place === 'here' : (recovery.writer ?? 'here') === place;

/** Whether the writes of everybody but replication are refused in a place. */
export const isFencedAt = (place: Place, { writer }: Recovery): boolean => writer !== undefined && writer !== place;
