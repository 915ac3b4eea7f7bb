import * as z from 'zod/mini';
import { documentClient } from '../../../shared/store/document-client.ts';
import { dummyCredentials, useDummyCredentials } from '../../local/dummy-credentials.ts';
import { askServer, defaultUrl } from '../running-server.ts';
import type { Place } from './place.ts';

/** What a running server says about what it is made of, as far as it is asked for here. */
const answer = z.object({
  cognito: z.url(),
  userPoolId: z.string(),
  dynamodb: z.url(),
  table: z.string(),
  objects: z.url(),
  bodies: z.string(),
  deadLetters: z.array(
    z.object({
      name: z.string(),
      url: z.url(),
      arn: z.string(),
      holds: z.enum(['wakes', 'places', 'events', 'replays']),
    }),
  ),
});

/**
 * The local server that PORT names.
 *
 * @throws CommandFailed if nothing answers, or something else does.
 */
export const localPlace = async (): Promise<Place> => {
  const url = defaultUrl();
  const { cognito, userPoolId, dynamodb, table, objects, bodies, deadLetters } = await askServer(url, answer);
  useDummyCredentials();
  const client = documentClient({ endpoint: dynamodb });
  return {
    name: `the local server at ${url}`,
    stage: undefined,
    url,
    table: { client, tableName: table },
    objects: { bucket: bodies, endpoint: objects },
    staffPoolId: userPoolId,
    tokenEndpoint: `${cognito}/oauth2/token`,
    federation: {},
    services: { region: dummyCredentials.AWS_REGION, endpoint: cognito },
    streams: { region: dummyCredentials.AWS_REGION, endpoint: dynamodb },
    deadLetters: () => Promise.resolve(deadLetters),
    canarySecret: undefined,
    close: () => client.destroy(),
  };
};
