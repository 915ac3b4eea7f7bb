import { Logger } from '@aws-lambda-powertools/logger';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import { CognitoJwtVerifier } from 'aws-jwt-verify';
import * as z from 'zod/mini';

// The least that a function with this project's middleware and SDK can be. Like the project's functions it makes its clients at the
// first request, so its initialisation is the loading of the same packages and nothing else.

const logger = new Logger({ serviceName: 'hello' });
const greetingSchema = z.looseObject({ name: z.string() });

export const handler = middy<{ readonly token: string }>()
  .use({ before: () => logger.info('request') })
  .handler(async ({ token }) => {
    const verifier = CognitoJwtVerifier.create({
      userPoolId: 'eu-central-1_HelloWorld',
      tokenUse: 'access',
      clientId: null,
    });
    await verifier.verify(token);
    const client = DynamoDBDocumentClient.from(new DynamoDBClient({}));
    const TableName = 'hello';
    const Key = { pk: 'hello', sk: 'world' };
    await client.send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys: [Key] } } }));
    await client.send(
      new QueryCommand({ TableName, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': Key.pk } }),
    );
    await client.send(new TransactWriteCommand({ TransactItems: [{ Put: { TableName, Item: Key } }] }));
    await client.send(new PutCommand({ TableName, Item: Key }));
    const { Item } = await client.send(new GetCommand({ TableName, Key }));
    return `Hello, ${greetingSchema.parse(Item).name}`;
  });
