import { describe, expect, it } from 'vitest';
import { gatewayResponses } from '../../infra/gateway-responses.ts';
import { packFile } from '../../infra/knowledge-pack.ts';
import type { RouteDocument } from '../../infra/route-document.ts';
import { routes } from '../../infra/routes.ts';
import { stageNamed } from '../../infra/stages.ts';
import { preflightHeaders } from '../../shared/http/cross-origin.ts';
import { entryOf, type Resource, type Synthesised, synthesise, synthesised } from '../support/synthesised.ts';

const only = (type: string): Resource => {
  const [first, ...others] = synthesised().resources(type);
  if (!first || others.length > 0) throw new Error(`There is not one ${type}`);
  return first;
};

const api = () => only('AWS::ApiGateway::RestApi').properties.Body as RouteDocument;

const methodsOf = (path: string) => api().paths[path] ?? {};

const operations = () =>
  Object.entries(api().paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** A stage with what the stages of the project do without. */
let unusualStage: Synthesised | undefined;
const unusual = (): Synthesised => {
  unusualStage ??= synthesise({
    ...stageNamed('production'),
    knowledgePack: 'formulary.json',
    open: false,
    domain: {
      name: 'ehr.network.example',
      certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/0a1b',
      hostedZoneId: 'Z0123456789',
    },
  });
  return unusualStage;
};

const openPaths = [
  '/',
  '/cds-services',
  '/docs/{file}',
  '/fhir/metadata',
  '/fhir/.well-known/smart-configuration',
  '/openapi.json',
];

describe('API of the stack', () => {
  it('has exactly the routes of the route table', () => {
    expect(Object.keys(api().paths).sort()).toEqual(routes.map(({ path }) => path).sort());
  });

  it.each(routes.map(({ path, entry }) => [path, entry]))('hands %s, by any method, to %s', (path, entry) => {
    const functions = synthesised().resources('AWS::Lambda::Function');

    const operation = (methodsOf(path) as RouteDocument['paths'][string])['x-amazon-apigateway-any-method'];
    const uri = JSON.stringify(operation['x-amazon-apigateway-integration'].uri);
    const called = functions.filter(({ id }) => uri.includes(`"${id}"`));

    expect(called.map(entryOf)).toEqual([entry]);
    expect(operation['x-amazon-apigateway-integration'].type).toBe('aws_proxy');
  });

  it.each(routes.map(({ path }) => path))('answers a browser that asks what it may send to %s by itself', (path) => {
    const { options } = methodsOf(path) as RouteDocument['paths'][string];
    const { type, contentHandling, requestTemplates, responses } = options['x-amazon-apigateway-integration'];

    expect(options.security).toEqual([]);
    expect([type, contentHandling, requestTemplates]).toEqual([
      'mock',
      'CONVERT_TO_TEXT',
      { 'application/json': '{"statusCode":204}' },
    ]);
    expect(responses.default).toEqual({
      statusCode: '204',
      responseParameters: Object.fromEntries(
        Object.entries(preflightHeaders).map(([name, value]) => [`method.response.header.${name}`, `'${value}'`]),
      ),
    });
    expect(Object.keys(options.responses['204'].headers)).toEqual(Object.keys(preflightHeaders));
  });

  it('asks for an access token that has passed a trigger by every method of every path that is not open', () => {
    const closed = operations().filter(({ path, method }) => !openPaths.includes(path) && method !== 'options');

    const securities = closed.map(({ operation }) => operation.security);

    expect(closed.length).toBe(routes.length - openPaths.length);
    for (const security of securities) expect(security).toEqual([{ accessToken: ['concord/api'] }]);
  });

  it('is no larger than CloudFormation takes a template, as it is written', () => {
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
    for (const template of Object.values(synthesised().templates))
      expect(Buffer.byteLength(JSON.stringify(template.toJSON()))).toBeLessThan(1_000_000);
  });

  it('leaves open only what describes the server', () => {
    const open = operations().filter(
      ({ method, operation }) => operation.security.length === 0 && method !== 'options',
    );

    expect(open.map(({ path }) => path).sort()).toEqual([...openPaths].sort());
  });

  it('takes tokens of the two pools of the sign-in stack alone', () => {
    const { accessToken } = api().components.securitySchemes;

    expect(accessToken).toMatchObject({
      'x-amazon-apigateway-authtype': 'cognito_user_pools',
      'x-amazon-apigateway-authorizer': {
        providerARNs: ['StaffPool', 'PatientsPool'].map((pool) => ({
          'Fn::ImportValue': expect.stringMatching(`concord-production-sign-in:.*${pool}`) as string,
        })),
      },
    });
  });

  it("answers in the gateway's own name as the local gateway does", () => {
    const answers = api()['x-amazon-apigateway-gateway-responses'];

    for (const { type, statusCode, template } of gatewayResponses) {
      expect(answers[type]?.responseTemplates['application/fhir+json']).toBe(template);
      expect(answers[type]?.statusCode).toBe(statusCode === undefined ? undefined : String(statusCode));
    }
    expect(Object.keys(answers)).toHaveLength(gatewayResponses.length);
  });

  it('hands on bodies of any type unharmed and validates none', () => {
    const text = JSON.stringify(api());

    expect(api()['x-amazon-apigateway-binary-media-types']).toEqual(['*/*']);
    expect(text).not.toContain('request-validator');
    // With this the gateway would inflate what is sent, up to 10 MB; the functions compress (DECISIONS, "The function compresses, not the gateway").
    expect(text).not.toContain('minimum-compression-size');
  });

  it('holds back what is more than the stage allows', () => {
    expect(only('AWS::ApiGateway::Stage').properties.MethodSettings).toEqual([
      expect.objectContaining({
        HttpMethod: '*',
        ResourcePath: '/*',
        ThrottlingRateLimit: 2_000,
        ThrottlingBurstLimit: 4_000,
      }),
    ]);
  });

  it('logs every access without its address, query or body', () => {
    const stage = only('AWS::ApiGateway::Stage').properties;
    const { Format } = stage.AccessLogSetting as { Format: string };

    const used = Format.match(/\$context\.[\w.]+/g) ?? [];

    expect(used).toContain('$context.authorizer.claims.sub');
    expect(used).toContain('$context.status');
    // `path` holds ids, `requestOverride` and `error.message` may hold what the client sent.
    expect(used.filter((name) => /\.path$|query|header|body|error\.message|requestOverride/i.test(name))).toEqual([]);
    expect(stage.MethodSettings).toEqual([expect.objectContaining({ LoggingLevel: 'OFF', DataTraceEnabled: false })]);
  });

  it('begins with a stage that cannot be taken for the base of FHIR', () => {
    expect(only('AWS::ApiGateway::Stage').properties.StageName).not.toContain('fhir');
  });

  it('lets this API alone call a function', () => {
    const permissions = synthesised()
      .resources('AWS::Lambda::Permission')
      .filter(({ part }) => part === 'api');

    const functions = synthesised()
      .resources('AWS::Lambda::Function')
      .filter(({ part }) => part === 'api');

    expect(permissions).toHaveLength(functions.length);
    for (const { properties } of permissions) {
      expect(properties.Principal).toBe('apigateway.amazonaws.com');
      expect(JSON.stringify(properties.SourceArn)).toContain(`{"Ref":"${only('AWS::ApiGateway::RestApi').id}"}`);
    }
  });

  it('names the own pack of order checks of a stage to each function that serves records, and none otherwise', () => {
    const named = ({ resources }: Synthesised) =>
      resources('AWS::Lambda::Function')
        .filter((each) => each.part === 'api' && entryOf(each) !== 'functions/metadata.ts')
        .map(({ properties }) => (properties.Environment as { Variables: object }).Variables)
        .map((variables) => ('KNOWLEDGE_PACK' in variables ? variables.KNOWLEDGE_PACK : 'none'));

    expect(new Set(named(unusual()))).toEqual(new Set([packFile]));
    expect(new Set(named(synthesised()))).toEqual(new Set(['none']));
  });

  it('answers nobody and runs nothing while its stage is closed, and lets browsers ask whether they may read that', () => {
    const reserved = ({ resources }: Synthesised) =>
      resources('AWS::Lambda::Function')
        .filter(({ part }) => part === 'api')
        .map(({ properties }) => properties.ReservedConcurrentExecutions);
    const [acl] = unusual().resources('AWS::WAFv2::WebACL');
    const [first] = (acl?.properties.Rules ?? []) as readonly Record<string, unknown>[];

    expect(first).toMatchObject({
      Name: 'closed',
      Priority: 0,
      Statement: {
        NotStatement: {
          Statement: {
            ByteMatchStatement: {
              FieldToMatch: { Method: {} },
              PositionalConstraint: 'EXACTLY',
              SearchString: 'OPTIONS',
            },
          },
        },
      },
      Action: {
        Block: {
          CustomResponse: {
            ResponseCode: 503,
            CustomResponseBodyKey: 'closed',
            ResponseHeaders: expect.arrayContaining([{ Name: 'Retry-After', Value: '300' }]) as unknown,
          },
        },
      },
    });
    expect(new Set(reserved(unusual()))).toEqual(new Set([0]));
    expect(reserved(synthesised())).not.toContain(0);
  });

  it('keeps concurrency for the functions without which nobody can be treated, and leaves the others what Lambda wants to be left', () => {
    const reserved = synthesised()
      .resources('AWS::Lambda::Function')
      .flatMap((each) => {
        const { ReservedConcurrentExecutions: kept } = each.properties;
        return kept === undefined ? [] : [[entryOf(each), kept] as const];
      });

    expect(reserved.map(([entry]) => entry)).toEqual(
      expect.arrayContaining(
        ['patient', 'observation', 'medication-request', 'allergy-intolerance', 'encounter'].map(
          (name) => `functions/records/${name}.ts`,
        ),
      ),
    );
    expect(reserved.reduce((sum, [, kept]) => sum + Number(kept), 0)).toBe(580);
    expect(reserved).toHaveLength(Object.keys(stageNamed('production').concurrency?.reserved ?? {}).length);
  });

  describe('under a name of its own', () => {
    const one = (type: string) => unusual().resources(type)[0]?.properties;

    it('answers by TLS 1.2 or later, without the stage in the path', () => {
      expect(one('AWS::ApiGateway::DomainName')).toMatchObject({
        DomainName: 'ehr.network.example',
        SecurityPolicy: 'TLS_1_2',
        EndpointConfiguration: { Types: ['REGIONAL'] },
        RegionalCertificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/0a1b',
      });
      const mapping = one('AWS::ApiGateway::BasePathMapping');
      expect(mapping).not.toHaveProperty('BasePath');
      expect(mapping?.Stage).toEqual({ Ref: unusual().resources('AWS::ApiGateway::Stage')[0]?.id });
    });

    it('answers under no other: neither the setting of the API nor its document leaves the gateway its own', () => {
      const rest = one('AWS::ApiGateway::RestApi');

      expect(rest?.DisableExecuteApiEndpoint).toBe(true);
      expect((rest?.Body as RouteDocument | undefined)?.servers).toEqual([
        {
          url: 'https://ehr.network.example',
          'x-amazon-apigateway-endpoint-configuration': { disableExecuteApiEndpoint: true },
        },
      ]);
      expect(only('AWS::ApiGateway::RestApi').properties.DisableExecuteApiEndpoint).toBe(false);
      expect(api()).not.toHaveProperty('servers');
    });

    it('is found by its name, where Route 53 keeps it', () => {
      const name = unusual().resources('AWS::ApiGateway::DomainName')[0]?.id;

      expect(one('AWS::Route53::RecordSet')).toEqual({
        Name: 'ehr.network.example',
        Type: 'A',
        HostedZoneId: 'Z0123456789',
        AliasTarget: {
          DNSName: { 'Fn::GetAtt': [name, 'RegionalDomainName'] },
          HostedZoneId: { 'Fn::GetAtt': [name, 'RegionalHostedZoneId'] },
        },
      });
      expect(synthesised().resources('AWS::Route53::RecordSet')).toEqual([]);
    });
  });
});
