import { describe, expect, it } from 'vitest';
import { streamConsumers } from '../../infra/local/stream-consumers.ts';
import { badMinutes, badShare, burnRates, objectives } from '../../infra/objectives.ts';
import { entryOf, synthesised } from '../support/synthesised.ts';

const resources = (type: string) =>
  synthesised()
    .resources(type)
    .filter(({ part }) => part === 'observability');

interface AlarmProperties {
  readonly AlarmDescription: string;
  readonly AlarmActions?: unknown;
  readonly Threshold: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm?: number;
  readonly Period?: number;
  readonly MetricName?: string;
  readonly Metrics?: readonly {
    readonly Expression?: string;
    readonly Period?: number;
    readonly MetricStat?: {
      readonly Period: number;
      readonly Stat: string;
      readonly Metric: { readonly Namespace: string; readonly MetricName: string; readonly Dimensions?: unknown };
    };
  }[];
  readonly TreatMissingData: string;
}

const windowsOf = (name: string) =>
  resources('AWS::CloudWatch::Alarm')
    .map(({ properties }) => properties as unknown as AlarmProperties)
    .filter(({ AlarmDescription }) => AlarmDescription.startsWith(`${name}: `));

const metricsOf = ({ Metrics = [] }: AlarmProperties) =>
  Metrics.flatMap(({ MetricStat }) =>
    MetricStat ? [`${MetricStat.Metric.Namespace} ${MetricStat.Metric.MetricName} ${MetricStat.Stat}`] : [],
  );

describe('objectives', () => {
  // The workbook's table for 99.9 %: a fiftieth of the month's budget in an hour is 1.44 % of its requests.
  // https://sre.google/workbook/alerting-on-slos/
  it('are alarmed of at the rates that the workbook of reliability engineers gives', () => {
    const budgetOfMonth = burnRates.map(({ rate, longMinutes }) => (rate * longMinutes) / (30 * 24 * 60));

    expect(budgetOfMonth.map((share) => Number(share.toFixed(3)))).toEqual([0.02, 0.05, 0.1]);
    expect(burnRates.map(({ longMinutes, shortMinutes }) => longMinutes / shortMinutes)).toEqual([12, 12, 12]);
    expect(badShare({ target: 0.999 }, { rate: 14.4 })).toBeCloseTo(0.0144, 10);
  });

  it('count bad minutes of a window, one at least', () => {
    const minutes = (rate: number, window: number) => badMinutes({ target: 0.99 }, { rate }, window);

    expect([minutes(14.4, 60), minutes(14.4, 5), minutes(6, 360), minutes(6, 30), minutes(3, 1_440)]).toEqual([
      9, 1, 22, 2, 44,
    ]);
    // 0.1 * 3 is a little more than 0.3 for a computer
    expect(badMinutes({ target: 0.9 }, { rate: 3 }, 10)).toBe(3);
  });

  it.each(objectives.map(({ name }) => name))('%s tells the one topic, once both windows of a rate burn', (name) => {
    const topic = { 'Fn::ImportValue': expect.stringMatching(/^concord-production-sharing:.*Topic/) as string };
    const told = resources('AWS::CloudWatch::CompositeAlarm').filter(({ properties }) =>
      String(properties.AlarmDescription).startsWith(`${name} is missed`),
    );

    expect(told).toHaveLength(burnRates.length);
    for (const { properties } of told) {
      expect(properties.AlarmActions).toEqual([topic]);
      const alarmed = [...JSON.stringify(properties.AlarmRule).matchAll(/"Fn::GetAtt":\["(\w+)","Arn"\]/g)];
      const windows = alarmed.map(([, id]) => resources('AWS::CloudWatch::Alarm').find((each) => each.id === id));
      expect(windows).toHaveLength(2);
      expect(JSON.stringify(properties.AlarmRule)).toContain(' AND ');
      expect(windows.every((window) => String(window?.properties.AlarmDescription).startsWith(`${name}: `))).toBe(true);
    }
    for (const window of windowsOf(name)) {
      expect(window.AlarmActions).toBeUndefined();
      expect(window.TreatMissingData).toBe('notBreaching');
    }
  });

  it('is available by the share of requests that the gateway answers with a fault, but not for one fault at night', () => {
    const windows = windowsOf('Availability');
    const periods = windows.map(({ Metrics = [] }) => [
      ...new Set(Metrics.flatMap(({ MetricStat }) => MetricStat?.Period ?? [])),
    ]);

    expect(windows.map(({ Threshold, EvaluationPeriods }) => [Threshold, EvaluationPeriods])).toEqual([
      [0.0144, 1],
      [0.0144, 1],
      [0.006, 1],
      [0.006, 1],
      [0.003, 1],
      [0.003, 1],
    ]);
    expect(periods).toEqual([[3_600], [300], [21_600], [1_800], [86_400], [7_200]]);
    for (const window of windows) {
      expect(metricsOf(window).toSorted()).toEqual(['AWS/ApiGateway 5XXError Sum', 'AWS/ApiGateway Count Sum']);
      expect(window.Metrics?.find(({ Expression }) => Expression)?.Expression).toBe(
        'IF(FILL(bad, 0) > 4, bad / all, 0)',
      );
      expect(JSON.stringify(window.Metrics)).toContain('"Value":"concord-production"');
    }
  });

  it('times reads and writes by lines of the access log, where faults are none of them', () => {
    const filters = resources('AWS::Logs::MetricFilter').map(({ properties }) => ({
      pattern: properties.FilterPattern,
      metric: (properties.MetricTransformations as [{ MetricName: string; MetricNamespace: string }])[0],
    }));

    expect(filters.map(({ pattern, metric: { MetricName } }) => [MetricName, pattern])).toEqual([
      ['Reads', '{ ($.method = "GET" || $.method = "HEAD") && $.status < 500 }'],
      ['ReadsBad', '{ ($.method = "GET" || $.method = "HEAD") && $.status < 500 && $.latencyMs > 1000 }'],
      [
        'Writes',
        '{ ($.method = "POST" || $.method = "PUT" || $.method = "PATCH" || $.method = "DELETE") && $.status < 500 }',
      ],
      [
        'WritesBad',
        '{ ($.method = "POST" || $.method = "PUT" || $.method = "PATCH" || $.method = "DELETE") && $.status < 500 && $.latencyMs > 2000 }',
      ],
    ]);
    expect(new Set(filters.map(({ metric }) => metric.MetricNamespace))).toEqual(new Set(['Concord/production']));
    for (const window of windowsOf('Reads'))
      expect(metricsOf(window).toSorted()).toEqual(['Concord/production Reads Sum', 'Concord/production ReadsBad Sum']);
  });

  it('compares numbers in lines of the access log that are JSON with numbers', () => {
    const [stage] = synthesised().resources('AWS::ApiGateway::Stage');
    const setting = stage?.properties.AccessLogSetting as { Format: string } | undefined;

    const line = JSON.parse(
      (setting?.Format ?? '').replace('$context.status', '200').replace('$context.responseLatency', '12'),
    ) as Record<string, unknown>;

    expect(line).toMatchObject({ status: 200, latencyMs: 12, method: '$context.httpMethod' });
  });

  it('is fresh by the age of the oldest change of all consumers of the stream', () => {
    const windows = windowsOf('Freshness');

    expect(windows.map((each) => [each.Threshold, each.DatapointsToAlarm, each.EvaluationPeriods])).toEqual([
      [60, 9, 60],
      [60, 1, 5],
      [60, 22, 360],
      [60, 2, 30],
      [60, 44, 1_440],
      [60, 4, 120],
    ]);
    const [first] = windows;
    expect(metricsOf(first as AlarmProperties)).toEqual(streamConsumers.map(() => 'AWS/Lambda IteratorAge Maximum'));
    expect(first?.Metrics?.find(({ Expression }) => Expression)?.Expression).toBe(
      'MAX([FILL(age0, 0), FILL(age1, 0)]) / 1000',
    );
  });

  it('delivers by the age of the oldest wake in its queue', () => {
    for (const window of windowsOf('Delivery')) {
      expect(window).toMatchObject({ MetricName: 'ApproximateAgeOfOldestMessage', Period: 60, Threshold: 60 });
    }
    expect(windowsOf('Delivery')).toHaveLength(6);
  });

  it('keep alarms within what CloudWatch evaluates: a day of minutes, and periods of a day', () => {
    for (const { properties } of resources('AWS::CloudWatch::Alarm')) {
      const { EvaluationPeriods, Period, Metrics = [] } = properties as unknown as AlarmProperties;
      const period = Math.max(
        Period ?? 0,
        ...Metrics.map(({ MetricStat, Period: own }) => MetricStat?.Period ?? own ?? 0),
      );
      expect(period * EvaluationPeriods).toBeLessThanOrEqual(86_400);
    }
  });
});

describe('canary', () => {
  const alarmsOf = (part: string) =>
    resources('AWS::CloudWatch::Alarm')
      .map(({ properties }) => properties as unknown as AlarmProperties)
      .filter(({ AlarmDescription }) => AlarmDescription.startsWith(`The canary ${part}`));
  const canary = () => resources('AWS::Lambda::Function').find((each) => entryOf(each) === 'functions/canary.ts');

  it('lives its day every five minutes, within the time that it has', () => {
    const [rule] = resources('AWS::Events::Rule');

    expect(rule?.properties).toMatchObject({ ScheduleExpression: 'rate(5 minutes)', State: 'ENABLED' });
    expect(JSON.stringify(rule?.properties.Targets)).toContain(`"${canary()?.id}"`);
    expect(canary()?.properties.Timeout).toBe(110);
  });

  it('is allowed to read its own secret, and nothing else of anybody', () => {
    const role = (canary()?.properties.Role as { 'Fn::GetAtt': [string] } | undefined)?.['Fn::GetAtt'][0];
    const [secret] = resources('AWS::SecretsManager::Secret');
    const [key] = resources('AWS::KMS::Key');
    const policies = JSON.stringify(resources('AWS::IAM::Role').find(({ id }) => id === role)?.properties.Policies);

    expect(policies).toContain(
      `{"Action":"secretsmanager:GetSecretValue","Effect":"Allow","Resource":{"Ref":"${secret?.id}"}}`,
    );
    expect(policies).toContain(
      `{"Action":"kms:Decrypt","Condition":{"StringEquals":{"kms:ViaService":"secretsmanager.us-east-1.amazonaws.com"}},"Effect":"Allow","Resource":{"Fn::GetAtt":["${key?.id}","Arn"]}}`,
    );
    expect([...policies.matchAll(/"(\w+):\w+"/g)].map(([, service]) => service)).not.toContain('dynamodb');
    expect(secret?.properties.KmsKeyId).toEqual({ 'Fn::GetAtt': [key?.id, 'Arn'] });
  });

  it('tells the one topic of two bad days of three, and of three that were not lived', () => {
    const topic = [{ 'Fn::ImportValue': expect.stringMatching(/Topic/) as string }];

    expect(alarmsOf('could not')).toEqual([
      expect.objectContaining({
        MetricName: 'Errors',
        Period: 300,
        EvaluationPeriods: 3,
        DatapointsToAlarm: 2,
        Threshold: 0,
        AlarmActions: topic,
      }),
    ]);
    expect(alarmsOf('has not run')).toEqual([
      expect.objectContaining({
        MetricName: 'Invocations',
        Period: 300,
        EvaluationPeriods: 3,
        Threshold: 1,
        TreatMissingData: 'breaching',
        AlarmActions: topic,
      }),
    ]);
  });
});

describe('dashboard', () => {
  it('shows every objective, and nothing that a patient could be known by', () => {
    const [dashboard] = resources('AWS::CloudWatch::Dashboard');
    const body = JSON.stringify(dashboard?.properties.DashboardBody);

    expect(dashboard?.properties.DashboardName).toBe('concord-production');
    for (const { says } of objectives) expect(body).toContain(says);
    expect(body).toContain('concord-production');
    // Lines of logs would show what no graph does.
    expect(body).not.toMatch(/"type\\?":\\?"log|SOURCE/);
  });
});

describe('traces', () => {
  it('are made by every function, which may write them', () => {
    const functions = synthesised().resources('AWS::Lambda::Function');
    const roles = synthesised().resources('AWS::IAM::Role');

    const untraced = functions.filter((each) => {
      const id = (each.properties.Role as { 'Fn::GetAtt': [string] })['Fn::GetAtt'][0];
      const role = roles.find((found) => found.id === id && found.part === each.part);
      return (
        (each.properties.TracingConfig as { Mode?: string } | undefined)?.Mode !== 'Active' ||
        !JSON.stringify(role?.properties).includes('xray:PutTraceSegments')
      );
    });

    expect(untraced.map(entryOf)).toEqual([]);
  });

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-understanding-xray-traces.html
  it('are made by no gateway, since its own hold addresses with their queries', () => {
    const [stage] = synthesised().resources('AWS::ApiGateway::Stage');

    expect(stage?.properties.TracingEnabled).toBe(false);
  });
});
