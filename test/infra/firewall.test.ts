import { describe, expect, it } from 'vitest';
import { closedAnswer, managedGroups, tooManyAnswer } from '../../infra/firewall.ts';
import { synthesised } from '../support/synthesised.ts';

interface Rule {
  readonly Name: string;
  readonly Priority: number;
  readonly Action?: unknown;
  readonly Statement: {
    readonly ManagedRuleGroupStatement?: {
      readonly Name: string;
      readonly RuleActionOverrides?: readonly { readonly Name: string; readonly ActionToUse: object }[];
      readonly ScopeDownStatement?: object;
    };
    readonly RateBasedStatement?: Readonly<Record<string, unknown>>;
  };
  readonly VisibilityConfig: { readonly SampledRequestsEnabled: boolean };
}

const only = (type: string) => {
  const [first, ...others] = synthesised().resources(type);
  if (!first || others.length > 0) throw new Error(`There is not one ${type}`);
  return first.properties;
};

const rules = () => only('AWS::WAFv2::WebACL').Rules as readonly Rule[];

const groups = () =>
  rules().flatMap(({ Statement }) =>
    Statement.ManagedRuleGroupStatement ? [Statement.ManagedRuleGroupStatement] : [],
  );

/** As AWS lists them. https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html */
const commonRules = [
  'NoUserAgent_HEADER',
  'UserAgent_BadBots_HEADER',
  'SizeRestrictions_QUERYSTRING',
  'SizeRestrictions_Cookie_HEADER',
  'SizeRestrictions_BODY',
  'SizeRestrictions_URIPATH',
  'EC2MetaDataSSRF_BODY',
  'EC2MetaDataSSRF_COOKIE',
  'EC2MetaDataSSRF_URIPATH',
  'EC2MetaDataSSRF_QUERYARGUMENTS',
  'GenericLFI_QUERYARGUMENTS',
  'GenericLFI_URIPATH',
  'GenericLFI_BODY',
  'RestrictedExtensions_URIPATH',
  'RestrictedExtensions_QUERYARGUMENTS',
  'GenericRFI_QUERYARGUMENTS',
  'GenericRFI_BODY',
  'GenericRFI_URIPATH',
  'CrossSiteScripting_COOKIE',
  'CrossSiteScripting_QUERYARGUMENTS',
  'CrossSiteScripting_BODY',
  'CrossSiteScripting_URIPATH',
];

describe('the firewall', () => {
  it('stands before the gateway, and lets through what no rule refuses', () => {
    const { WebACLArn, ResourceArn } = only('AWS::WAFv2::WebACLAssociation') as Record<string, unknown>;
    const [acl] = synthesised().resources('AWS::WAFv2::WebACL');
    const [stage] = synthesised().resources('AWS::ApiGateway::Stage');

    expect(WebACLArn).toEqual({ 'Fn::GetAtt': [acl?.id, 'Arn'] });
    expect(JSON.stringify(ResourceArn)).toContain(`{"Ref":"${stage?.id}"}`);
    expect(acl?.properties).toMatchObject({ Scope: 'REGIONAL', DefaultAction: { Allow: {} } });
    expect(rules().map(({ Priority }) => Priority)).toEqual(rules().map((_, index) => index));
  });

  it('holds requests to the rules of AWS, of which only those count that the rules of a FHIR server would trip over', () => {
    expect(groups().map(({ Name }) => Name)).toEqual([
      'AWSManagedRulesCommonRuleSet',
      'AWSManagedRulesKnownBadInputsRuleSet',
      'AWSManagedRulesAmazonIpReputationList',
    ]);
    const counted = groups().flatMap(({ RuleActionOverrides = [] }) =>
      RuleActionOverrides.map(({ Name, ActionToUse }) => [Name, ActionToUse]),
    );
    expect(counted).toEqual(
      [
        'NoUserAgent_HEADER',
        'SizeRestrictions_QUERYSTRING',
        'SizeRestrictions_BODY',
        'GenericLFI_BODY',
        'GenericRFI_BODY',
        'GenericRFI_QUERYARGUMENTS',
        'RestrictedExtensions_URIPATH',
        'RestrictedExtensions_QUERYARGUMENTS',
        'CrossSiteScripting_BODY',
      ].map((name) => [name, { Count: {} }]),
    );
  });

  it('names rules that AWS has, each with a reason', () => {
    const [common, ...others] = managedGroups;

    expect(Object.keys(common?.counted ?? {}).filter((name) => !commonRules.includes(name))).toEqual([]);
    expect(
      Object.values(common?.counted ?? {}).filter(
        (reason) => reason.length < 20 && reason !== 'likewise, where a search names a record',
      ),
    ).toEqual([]);
    expect(others.map(({ counted }) => counted)).toEqual([{}, {}]);
  });

  it('shuts out no hospital with tokens because its address is on a list', () => {
    const [, , reputation] = groups();

    expect(JSON.stringify(reputation?.ScopeDownStatement)).toBe(
      '{"NotStatement":{"Statement":{"SizeConstraintStatement":{"ComparisonOperator":"GT","FieldToMatch":{"SingleHeader":{"Name":"authorization"}},"Size":0,"TextTransformations":[{"Priority":0,"Type":"NONE"}]}}}}',
    );
  });

  it('answers 429 above the rates of the stage, by token and by address', () => {
    const rates = rules().flatMap(({ Name, Statement: { RateBasedStatement: rate } }) =>
      rate ? [[Name, rate.Limit, rate.AggregateKeyType, rate.EvaluationWindowSec]] : [],
    );
    const actions = rules().flatMap(({ Action, Statement }) => (Statement.RateBasedStatement ? [Action] : []));

    expect(rates).toEqual([
      ['per-token', 60_000, 'CUSTOM_KEYS', 300],
      ['per-address', 150_000, 'IP', 300],
      ['per-address-without-token', 3_000, 'IP', 300],
    ]);
    for (const action of actions)
      expect(action).toMatchObject({
        Block: { CustomResponse: { ResponseCode: 429, CustomResponseBodyKey: 'too-many' } },
      });
  });

  it.each([
    ['closed', closedAnswer, 503, 'closed'],
    ['too-many', tooManyAnswer, 429, 'throttled'],
  ])('says %s in an OperationOutcome, within what WAF sends', (key, answer, statusCode, reason) => {
    const bodies = only('AWS::WAFv2::WebACL').CustomResponseBodies as Record<string, { Content: string }>;

    expect(bodies[key]).toEqual({ ContentType: 'APPLICATION_JSON', Content: answer.body });
    expect(answer.statusCode).toBe(statusCode);
    expect(JSON.parse(answer.body)).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ details: { coding: [{ code: reason }] } }],
    });
    expect(Number(answer.headers['Retry-After'])).toBeGreaterThan(0);
    // https://docs.aws.amazon.com/waf/latest/developerguide/limits.html
    expect(Buffer.byteLength(answer.body)).toBeLessThanOrEqual(4_096);
    expect(Object.keys(answer.headers).length).toBeLessThanOrEqual(10);
    expect(Object.keys(answer.headers).map((name) => name.toLowerCase())).not.toContain('content-type');
    for (const value of Object.values(answer.headers)) expect(value.length).toBeLessThanOrEqual(255);
  });

  it('keeps its door open where the stage does not say otherwise', () => {
    expect(rules().map(({ Name }) => Name)).not.toContain('closed');
  });

  it('logs what it refuses without tokens, cookies, addresses, queries or what a client says of a patient in a header', () => {
    const { LogDestinationConfigs, RedactedFields, LoggingFilter } = only('AWS::WAFv2::LoggingConfiguration');
    const fields = RedactedFields as readonly { SingleHeader?: { Name: string } }[];

    expect(fields.filter(({ SingleHeader }) => !SingleHeader)).toEqual([{ UriPath: {} }, { QueryString: {} }]);
    expect(fields.flatMap(({ SingleHeader }) => SingleHeader?.Name ?? [])).toEqual(
      expect.arrayContaining(['authorization', 'cookie', 'if-none-exist', 'referer', 'x-security-context']),
    );
    expect(JSON.stringify(LogDestinationConfigs)).not.toContain('*');
    expect(LoggingFilter).toMatchObject({
      DefaultBehavior: 'DROP',
      Filters: [{ Behavior: 'KEEP', Conditions: [{ ActionCondition: { Action: 'BLOCK' } }] }],
    });
    const log = synthesised()
      .resources('AWS::Logs::LogGroup')
      .find(({ properties }) => String(properties.LogGroupName).startsWith('aws-waf-logs-'));
    expect(log?.properties).toMatchObject({ LogGroupName: 'aws-waf-logs-concord-production', RetentionInDays: 2192 });
    expect(JSON.stringify(log?.properties.KmsKeyId)).toContain('LogKey');
  });

  it('shows nobody what a rule has matched: neither in samples nor in the details of its log', () => {
    const { DataProtectionConfig, VisibilityConfig } = only('AWS::WAFv2::WebACL');
    const protections = (
      DataProtectionConfig as {
        DataProtections: readonly { Action: string; Field: { FieldType: string; FieldKeys?: readonly string[] } }[];
      }
    ).DataProtections;

    expect(VisibilityConfig).toMatchObject({ SampledRequestsEnabled: false });
    expect(new Set(rules().map((rule) => rule.VisibilityConfig.SampledRequestsEnabled))).toEqual(new Set([false]));
    expect(protections.map(({ Action, Field: { FieldType } }) => [FieldType, Action])).toEqual(
      ['SINGLE_HEADER', 'SINGLE_COOKIE', 'QUERY_STRING', 'BODY'].map((type) => [type, 'SUBSTITUTION']),
    );
    expect(protections[0]?.Field.FieldKeys).toContain('authorization');
    expect(JSON.stringify(protections)).not.toContain('Exclude');
  });
});
