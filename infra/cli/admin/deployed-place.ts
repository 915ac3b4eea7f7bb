import { federationFrom } from '../../../shared/access/federation.ts';
import { documentClient } from '../../../shared/store/document-client.ts';
import { federationText } from '../../sign-in-settings.ts';
import { stageNamed } from '../../stages.ts';
import { CommandFailed } from '../command.ts';
import type { DeadLetterQueue, Place } from './place.ts';
import { type StackResource, stackResources } from './stack-resources.ts';

/**
 * A deployed stage, in the account whose credentials the environment has.
 *
 * @throws CommandFailed for a stage that there is not, without credentials, or where something is not deployed.
 */
export const deployedPlace = async (name: string): Promise<Place> => {
  const { region } = regionOf(name);
  return placeOf(name, region, await stackResources(name, region));
};

const regionOf = (name: string) => {
  try {
    return stageNamed(name);
  } catch (error) {
    throw new CommandFailed((error as Error).message);
  }
};

/** The place that stacks are, by what they are made of. */
export const placeOf = (stage: string, region: string, resources: readonly StackResource[]): Place => {
  const one = (type: string, begins = '') => theOne(resources, type, begins, stage);
  // The client reads where it works from the environment, as the functions do.
  process.env.AWS_REGION = region;
  const secret = resources.find(({ type, id }) => type === 'AWS::SecretsManager::Secret' && id.startsWith('Canary'));
  const client = documentClient();
  return {
    name: `stage ${stage} in ${region}`,
    stage,
    url: urlOf(resources, region, stage),
    table: { client, tableName: stageNamed(stage).restored?.tableName ?? one('AWS::DynamoDB::GlobalTable') },
    objects: { bucket: one('AWS::S3::Bucket', 'Bodies') },
    staffPoolId: one('AWS::Cognito::UserPool', 'Staff'),
    tokenEndpoint: `https://${one('AWS::Cognito::UserPoolDomain', 'Staff')}.auth.${region}.amazoncognito.com/oauth2/token`,
    federation: federationFrom(federationText(stageNamed(stage).signIn.federation ?? [])),
    services: { region },
    streams: { region },
    deadLetters: () => Promise.resolve(resources.flatMap((resource) => deadLetterQueue(resource, region))),
    canarySecret: secret && { id: secret.physicalId, url: `https://secretsmanager.${region}.amazonaws.com/` },
    close: () => client.destroy(),
  };
};

const theOne = (resources: readonly StackResource[], type: string, begins: string, stage: string): string => {
  const [found, ...others] = resources.filter((each) => each.type === type && each.id.startsWith(begins));
  if (found && others.length === 0) return found.physicalId;
  throw new CommandFailed(`Stage "${stage}" has ${found ? 'several' : 'no'} ${type} ${begins}`.trimEnd());
};

/** Under its own name, where the stage has one; else as the gateway names it. */
const urlOf = (resources: readonly StackResource[], region: string, stage: string): string => {
  const own = resources.find(({ type }) => type === 'AWS::ApiGateway::DomainName');
  if (own) return `https://${own.physicalId}/fhir`;
  const [api, gatewayStage] = ['AWS::ApiGateway::RestApi', 'AWS::ApiGateway::Stage'].map((type) =>
    theOne(resources, type, '', stage),
  );
  return `https://${api}.execute-api.${region}.amazonaws.com/${gatewayStage}/fhir`;
};

/** Of the stacks' queues those that keep what was given up, by their names in the template (infra/stacks/). */
const deadLetterQueue = ({ type, id, physicalId: url }: StackResource, region: string): DeadLetterQueue[] => {
  if (type !== 'AWS::SQS::Queue') return [];
  const [, account = '', queue = ''] = new URL(url).pathname.split('/');
  const arn = `arn:aws:sqs:${region}:${account}:${queue}`;
  const holds = holdsOf(id);
  return holds === undefined ? [] : [{ ...holds, url, arn }];
};

const holdsOf = (id: string): Pick<DeadLetterQueue, 'name' | 'holds'> | undefined => {
  if (id.startsWith('WakesDead')) return { name: 'wakes', holds: 'wakes' };
  if (id.startsWith('RecoveryFailed')) return { name: 'replays', holds: 'replays' };
  const partner = /^Partner(\w+?)Undelivered/.exec(id)?.[1];
  if (partner !== undefined) return { name: `partner-${partner}`, holds: 'events' };
  const consumer = /^(\w+?)Failed[0-9A-F]{8}$/.exec(id)?.[1];
  return consumer === undefined ? undefined : { name: consumer, holds: 'places' };
};
