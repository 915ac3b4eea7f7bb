import { beforeAll, describe, expect, it } from 'vitest';
import { parseStage, stageNamed } from '../../infra/stages.ts';
import { type Synthesised, synthesise } from '../support/synthesised.ts';

const tableName = 'concord-restored-2026-11-27';
const streamArn = `arn:aws:dynamodb:us-east-1:111122223333:table/${tableName}/stream/2026-11-27T10:00:00.000`;

describe('a stage whose table was restored', () => {
  let stacks: Synthesised;
  beforeAll(() => {
    stacks = synthesise(parseStage({ ...stageNamed('dev'), trail: 'own', restored: { tableName, streamArn } }));
  });

  it('has all functions use that table, and follow its stream', () => {
    const tables = stacks
      .resources('AWS::Lambda::Function')
      .flatMap(
        ({ properties }) =>
          (properties.Environment as { Variables?: { TABLE_NAME?: unknown } })?.Variables?.TABLE_NAME ?? [],
      );
    const streams = stacks
      .resources('AWS::Lambda::EventSourceMapping')
      .filter(({ properties }) => properties.StartingPosition !== undefined)
      .map(({ properties }) => properties.EventSourceArn);

    expect(tables.length).toBeGreaterThan(10);
    expect(new Set(tables)).toEqual(new Set([tableName]));
    expect(streams).toEqual([streamArn, streamArn]);
  });

  it('lets no function touch the table that went on', () => {
    const roles = JSON.stringify(stacks.resources('AWS::IAM::Role'));

    expect(roles).toContain(`:table/${tableName}`);
    expect(roles).not.toMatch(/ImportValue[^}]*Table[0-9A-F]{8}/);
  });

  it('has the trail tell who touches either table', () => {
    const [trail] = stacks.resources('AWS::CloudTrail::Trail').map(({ properties }) => JSON.stringify(properties));

    expect(trail).toContain(`:table/${tableName}"`);
    expect(trail).toContain(`:table/${tableName}/`); // its stream
    expect(trail?.match(/ImportValue[^}]*Table[0-9A-F]{8}Arn/g)).toHaveLength(2);
  });

  it('keeps its own table, and exports it as long as stacks name it that are not deployed anew', () => {
    const [own] = stacks.resources('AWS::DynamoDB::GlobalTable');
    const { Outputs = {} } = stacks.templates.records.toJSON() as { Outputs?: Record<string, { Value: unknown }> };
    const exported = Object.values(Outputs).map(({ Value }) => Value);

    expect(exported).toContainEqual({ Ref: own?.id });
    expect(exported).toContainEqual({ 'Fn::GetAtt': [own?.id, 'Arn'] });
    expect(exported).toContainEqual({ 'Fn::GetAtt': [own?.id, 'StreamArn'] });
  });
});

describe('the stage’s setting', () => {
  it.each([
    ['a stream of another table', { tableName: 'another', streamArn }],
    ['no stream', { tableName }],
    ['something else', { tableName, streamArn: 'latest' }],
  ])('refuses %s', (_, restored) => {
    expect(() => parseStage({ ...stageNamed('dev'), restored })).toThrow();
  });
});
