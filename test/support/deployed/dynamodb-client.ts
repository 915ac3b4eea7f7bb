// The SDK's client as it comes, to be bundled as functions are.
export { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
