import { describe, expect, it } from 'vitest';
import { placeOf } from '../../infra/cli/admin/deployed-place.ts';
import type { StackResource } from '../../infra/cli/admin/stack-resources.ts';
import { stages } from '../../infra/stages.ts';
import { synthesised } from '../support/synthesised.ts';

/** What CloudFormation would say of a stage's stacks: each resource under the name that it has in the template. */
const resourcesOf = (stage: string): StackResource[] =>
  synthesised(stage)
    .resources()
    .map(({ part, type, id }) => ({
      part,
      type,
      id,
      physicalId: type === 'AWS::SQS::Queue' ? `https://sqs.us-east-1.amazonaws.com/111122223333/${id}` : id,
    }));

describe('a deployed place', () => {
  it.each(stages.map(({ name }) => name))('is found in the stacks of %s', async (stage) => {
    const resources = resourcesOf(stage);

    const { name, url, table, objects, staffPoolId, tokenEndpoint, canarySecret, deadLetters, close } = placeOf(
      stage,
      'us-east-1',
      resources,
    );

    close();
    const [, domain] =
      /^https:\/\/(\w+)\.auth\.us-east-1\.amazoncognito\.com\/oauth2\/token$/.exec(tokenEndpoint) ?? [];
    const typeOf = (id: string | undefined) => resources.find(({ physicalId }) => physicalId === id)?.type;
    expect(name).toBe(`stage ${stage} in us-east-1`);
    expect([table.tableName, objects.bucket, staffPoolId, domain].map(typeOf)).toEqual([
      'AWS::DynamoDB::GlobalTable',
      'AWS::S3::Bucket',
      'AWS::Cognito::UserPool',
      'AWS::Cognito::UserPoolDomain',
    ]);
    const [api, gatewayStage] = ['AWS::ApiGateway::RestApi', 'AWS::ApiGateway::Stage'].map(
      (type) => resources.find((each) => each.type === type)?.id,
    );
    expect(url).toBe(`https://${api}.execute-api.us-east-1.amazonaws.com/${gatewayStage}/fhir`);
    expect(typeOf(canarySecret?.id)).toBe('AWS::SecretsManager::Secret');
    const found = await deadLetters();
    expect(found.filter(({ holds }) => holds === 'places').map((queue) => queue.name)).toContain('FileAccesses');
    expect(found.filter(({ holds }) => holds !== 'places').map((queue) => queue.name)).toEqual(['wakes', 'replays']);
  });

  it('knows every queue of the stacks that keeps what was given up, and no other', async () => {
    const resources = synthesised().resources();
    const queues = resources.filter(({ type }) => type === 'AWS::SQS::Queue').map(({ id }) => id);
    // Others are worked: a mapping reads each.
    const mappings = JSON.stringify(resources.filter(({ type }) => type === 'AWS::Lambda::EventSourceMapping'));
    const worked = queues.filter((id) => mappings.includes(`"EventSourceArn":{"Fn::GetAtt":["${id}","Arn"]}`));
    const { deadLetters, close } = placeOf('production', 'us-east-1', resourcesOf('production'));

    const known = (await deadLetters()).map(({ arn }) => arn.split(':').at(-1));

    close();
    expect(known.toSorted()).toEqual(queues.filter((id) => !worked.includes(id)).toSorted());
    expect(worked).toHaveLength(2);
  });

  it('says which part of it is not deployed', () => {
    const without = resourcesOf('production').filter(({ type }) => type !== 'AWS::Cognito::UserPool');

    expect(() => placeOf('production', 'us-east-1', without)).toThrow('has no AWS::Cognito::UserPool Staff');
  });
});
