import { userInfo } from 'node:os';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { CommandFailed } from '../command.ts';
import type { Place } from './place.ts';

/** Who runs a command. No user of a pool: whoever may, may by the rights of the account, or of the machine. */
export interface Operator {
  /** As the access log names them: the ARN of the role session, or `user@machine` of the operating system. */
  readonly name: string;
}

/**
 * Who works here: who the account says it is, or the user of this machine.
 *
 * @throws CommandFailed if the account does not know who it is.
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export const operatorOf = async ({ stage, services }: Pick<Place, 'stage' | 'services'>): Promise<Operator> => {
  if (stage === undefined) return { name: `${userInfo().username}@local` };
  const client = new STSClient({ ...services });
  try {
    const { Arn } = await client.send(new GetCallerIdentityCommand({}));
    if (Arn === undefined) throw new Error('it has no ARN');
    return { name: Arn };
  } catch (error) {
    throw new CommandFailed(`AWS does not say who you are: ${(error as Error).message}`);
  } finally {
    client.destroy();
  }
};
