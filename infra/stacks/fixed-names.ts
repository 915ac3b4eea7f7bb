import { Aws } from 'aws-cdk-lib';

/** Names that one region has to know of the other one: CloudFormation hands on values within a region alone. */
export const fixedNames = (stageName: string) => ({
  table: `concord-${stageName}-records`,
  tableKeyAlias: `alias/concord-${stageName}-records`,
  bodiesKeyAlias: `alias/concord-${stageName}-bodies`,
});

/** The table as a region has it. */
export const tableArnIn = (stageName: string, region: string): string =>
  `arn:${Aws.PARTITION}:dynamodb:${region}:${Aws.ACCOUNT_ID}:table/${fixedNames(stageName).table}`;

/** Names of buckets are unique in the world. */
export const bodyBucketName = (stageName: string, region: string): string =>
  `concord-${stageName}-bodies-${Aws.ACCOUNT_ID}-${region}`;
