import {
  type CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  type Stack,
} from '@aws-sdk/client-cloudformation';
import { CommandFailed } from '../cli/command.ts';
import type { Template } from './assembly.ts';

/** What an account has been made ready with. */
export interface Bootstrapped {
  /** Number of the account. */
  readonly account: string;
  readonly bootstrapVersion: number;
}

/** A stack that is deployed. */
export interface DeployedStack {
  readonly status: string;
  /** By name. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly template: Template;
}

/** CloudFormation of a region. */
export type ClientOf = (region: string) => CloudFormationClient;

/** CDK's own stack, by the name that it has in every account. */
const bootstrapStack = 'CDKToolkit';

/**
 * Finds the account that the credentials are of, and with what it was made ready for CDK. The first call that needs an account.
 *
 * @param region - region of the stage, for the words of a refusal.
 * @throws CommandFailed if there are no credentials, they are not taken, or the account was not made ready.
 */
export const bootstrappedAccount = async (client: CloudFormationClient, region: string): Promise<Bootstrapped> => {
  const stack = await describe(client, bootstrapStack).catch((error: unknown) => {
    throw new CommandFailed(whyRefused(error));
  });
  if (!stack) {
    throw new CommandFailed(
      `The account has no stack ${bootstrapStack} in ${region}: it was not made ready for CDK there. Once an account and region: npx cdk bootstrap aws://<account>/${region}`,
    );
  }
  const account = stack.StackId?.split(':')[4] ?? '';
  return { account, bootstrapVersion: Number(outputsOf(stack).BootstrapVersion ?? 0) };
};

/** A stack as it is deployed; undefined if there is none. */
export const deployedStack = async (client: CloudFormationClient, name: string): Promise<DeployedStack | undefined> => {
  const stack = await describe(client, name);
  if (!stack) return undefined;
  const { TemplateBody = '{}' } = await client.send(
    new GetTemplateCommand({ StackName: name, TemplateStage: 'Original' }),
  );
  return {
    status: stack.StackStatus ?? '',
    outputs: outputsOf(stack),
    template: JSON.parse(TemplateBody) as Template,
  };
};

/** Outputs of a deployed stack; undefined if there is none. */
export const outputsOfStack = async (
  client: CloudFormationClient,
  name: string,
): Promise<Readonly<Record<string, string>> | undefined> => {
  const stack = await describe(client, name);
  return stack && outputsOf(stack);
};

const outputsOf = ({ Outputs = [] }: Stack): Readonly<Record<string, string>> =>
  Object.fromEntries(Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]));

const describe = async (client: CloudFormationClient, StackName: string): Promise<Stack | undefined> => {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    return Stacks.find(({ StackStatus }) => StackStatus !== 'DELETE_COMPLETE' && StackStatus !== 'REVIEW_IN_PROGRESS');
  } catch (error) {
    // CloudFormation has no error of its own for it.
    if (error instanceof Error && error.name === 'ValidationError' && error.message.includes('does not exist'))
      return undefined;
    throw error;
  }
};

/** What to do about credentials that are not there or not taken. */
const whyRefused = (error: unknown): string => {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === 'CredentialsProviderError') {
    return (
      'No AWS credentials were found. Everything before this needs none. Sign in (aws sso login, then AWS_PROFILE=<profile>) or set ' +
      'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and start again.'
    );
  }
  return `The account did not answer as hoped: ${name}: ${message}`;
};
