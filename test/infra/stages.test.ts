import { describe, expect, it } from 'vitest';
import { requireFunctions } from '../../infra/concurrency.ts';
import { parseStage, requireDistinctNames, stageNamed, stages } from '../../infra/stages.ts';

const uploads = (change: object) => {
  const { policy } = stageNamed('dev');
  return { policy: { ...policy, uploads: { ...policy.uploads, ...change } } };
};

const hospital = {
  protocol: 'saml',
  name: 'Lakeside',
  organization: 'lakeside',
  roles: { Doctors: 'physician' },
  claims: { groups: 'memberOf', email: 'mail' },
  metadataUrl: 'https://sso.lakeside.org/metadata',
};
const hospitals = (...changes: object[]) => ({
  signIn: { ...stageNamed('dev').signIn, federation: changes.map((change) => ({ ...hospital, ...change })) },
});
const manyGroups = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`Department ${at}`, 'physician']));

const criticalResults = (change: object) => ({ policy: { ...stageNamed('dev').policy, criticalResults: change } });
const limit = { codes: '2823-3 6298-4', unit: 'mmol/L', low: 2.5, high: 6.5, source: 'Own laboratory, 2026' };

const certificateArn = 'arn:aws:acm:us-east-1:111122223333:certificate/0a1b';

describe('configuration of the stages', () => {
  it('has a production and a dev, under different names', () => {
    expect(stages.map(({ name }) => name)).toEqual(['production', 'dev']);
  });

  it('protects production', () => {
    const production = stageNamed('production');

    expect(production).toMatchObject({ protected: true, signIn: { secondFactor: 'required', plan: 'plus' } });
    expect(production.logRetentionDays).toBeGreaterThanOrEqual(6 * 365); // 45 CFR 164.316(b)(2)(i)
  });

  it('has uploads scanned in production', () => {
    expect(stageNamed('production').policy.uploads).toEqual({ largestMegabytes: 100, scanner: 'guardduty' });
    expect(() =>
      parseStage({ ...stageNamed('dev'), ...uploads({ scanner: 'arn:aws:iam::123456789012:role/a' }) }),
    ).not.toThrow();
  });

  it('takes limits of its own for critical results', () => {
    const own = {
      acknowledgeMinutes: 15,
      onCallMinutes: 30,
      onCall: { northside: 'PractitionerRole/a' },
      limits: [limit],
    };

    expect(() => parseStage({ ...stageNamed('dev'), ...criticalResults(own) })).not.toThrow();
  });

  it('may name hospitals whose staff sign on there', () => {
    const { metadataUrl: _, ...common } = hospital;
    const byOpenId = {
      issuer: 'https://sso.northside.org',
      clientId: 'c',
      secretName: 'concord/n',
      scopes: ['openid'],
    };
    const signIn = {
      ...stageNamed('dev').signIn,
      federation: [hospital, { ...common, ...byOpenId, name: 'Northside', protocol: 'oidc' }],
    };

    expect(parseStage({ ...stageNamed('dev'), signIn }).signIn).toEqual(signIn);
  });

  it('may name further hosts of webhooks', () => {
    const webhooks = { furtherHosts: ['https://hooks.partner.example:8443', 'https://10.0.0.5'] };

    expect(parseStage({ ...stageNamed('dev'), webhooks }).webhooks).toEqual(webhooks);
  });

  it('may be served under a name of its own, with a certificate of its region', () => {
    const domain = { name: 'ehr.network.example', certificateArn };

    expect(parseStage({ ...stageNamed('dev'), domain }).domain).toEqual(domain);
    expect(() => parseStage({ ...stageNamed('dev'), region: 'eu-central-1', domain })).toThrow(/is in us-east-1/);
  });

  it('is served there under the same name, with a certificate of that region', () => {
    const name = 'ehr.network.example';
    const standbyCertificateArn = certificateArn.replace('us-east-1', 'us-west-2');
    const recovery = { region: 'us-west-2', writer: 'here' };
    const standby = {
      streamArn: 'arn:aws:dynamodb:us-west-2:111122223333:table/concord-dev-records/stream/2026-11-27T10:00:00.000',
      secretsKeyId: `mrk-${'0123456789abcdef'.repeat(2)}`,
    };
    const parse = (domain: object, there: object) =>
      parseStage({ ...stageNamed('dev'), domain: { name, ...domain }, recovery: { ...recovery, ...there } });

    expect(() => parse({ certificateArn }, {})).not.toThrow();
    expect(() => parse({ certificateArn, standbyCertificateArn }, { standby })).not.toThrow();
    expect(() => parse({ certificateArn }, { standby })).toThrow(/name its certificate in us-west-2/);
    expect(() => parse({ certificateArn, standbyCertificateArn: certificateArn }, { standby })).toThrow(/us-east-1/);
  });

  it('uses a restored table in its own region alone, and without a recovery', () => {
    const tableName = 'concord-restored';
    const streamArn = `arn:aws:dynamodb:us-east-1:111122223333:table/${tableName}/stream/2026-11-27T10:00:00.000`;
    const restored = { tableName, streamArn };
    const recovery = { region: 'us-west-2' };

    expect(() => parseStage({ ...stageNamed('dev'), restored })).not.toThrow();
    expect(() => parseStage({ ...stageNamed('dev'), restored, recovery })).toThrow(/take out `recovery` first/);
    expect(() => parseStage({ ...stageNamed('dev'), region: 'eu-central-1', restored })).toThrow(/is in us-east-1/);
  });

  it('may keep up to what Lambda leaves for others', () => {
    const concurrency = { account: 1_000, reserved: { system: 900 } };

    expect(parseStage({ ...stageNamed('dev'), concurrency }).concurrency).toEqual(concurrency);
    expect(() => requireFunctions(concurrency, ['functions/system.ts'])).not.toThrow();
    expect(() => requireFunctions(concurrency, ['functions/records/patient.ts'])).toThrow(/no function.*: system$/);
  });

  it('refuses a stage whose stacks and roles would be taken for those of another', () => {
    expect(() => requireDistinctNames([{ name: 'dev' }, { name: 'develop' }])).not.toThrow();
    expect(() => requireDistinctNames([{ name: 'dev-recovery' }, { name: 'dev' }])).toThrow('begin with "dev-"');
  });

  it('names the stages that there are to whoever asks for another', () => {
    expect(() => stageNamed('prod')).toThrow('There is no stage "prod". Stages: production, dev');
  });

  it.each([
    ['an unknown setting', { colour: 'blue' }],
    ['a region that is none', { region: 'virginia' }],
    ['a name that stacks cannot have', { name: 'My Stage' }],
    ['a time that logs cannot be kept for', { logRetentionDays: 8 }],
    ['more days to restore than there are', { recoveryDays: 36 }],
    ['a policy of sharing that is not known', { policy: { ...stageNamed('dev').policy, sharing: 'all' } }],
    ['a law that nobody has written down', { policy: { ...stageNamed('dev').policy, jurisdiction: 'US-XX' } }],
    ['break-glass for more than 12 hours', { policy: { ...stageNamed('dev').policy, breakGlassMinutes: 721 } }],
    ['a reminder that comes as one begins', { reminderMinutes: [5] }],
    ['uploads that take longer to copy than a request', uploads({ largestMegabytes: 501 })],
    ['a scanner that nobody knows', uploads({ scanner: 'clamav' })],
    ['a scanner that is no role', uploads({ scanner: 'arn:aws:iam::123456789012:user/scanner' })],
    ['a critical limit without a source', criticalResults({ limits: [{ ...limit, source: '' }] })],
    ['a critical limit of no code of LOINC', criticalResults({ limits: [{ ...limit, codes: 'potassium' }] })],
    ['nobody on call', criticalResults({ onCall: { northside: 'Patient/a' } })],
    ['no time to acknowledge a result in', criticalResults({ acknowledgeMinutes: 0 })],
    ['a name that is an address', { domain: { name: 'https://ehr.network.example', certificateArn } }],
    ['a certificate that nobody issued', { domain: { name: 'ehr.network.example', certificateArn: 'mine' } }],
    [
      'a rate of fewer requests than WAF counts',
      { firewall: { perToken: 9, perAddress: 100, perAddressWithoutToken: 100 } },
    ],
    ['more concurrency than the account may keep', { concurrency: { account: 1_000, reserved: { system: 901 } } }],
    ['no throttling', { throttling: { requestsPerSecond: 0, burst: 0 } }],
    [
      'a return to an address without TLS',
      { signIn: { ...stageNamed('dev').signIn, callbackUrls: ['http://app.example/'] } },
    ],
    ['a hospital whose groups make patients', hospitals({ roles: { Visitors: 'patient' } })],
    ['a hospital that signs on without TLS', hospitals({ metadataUrl: 'http://sso.lakeside.org' })],
    ['a hospital of no organization', hospitals({ organization: '' })],
    [
      'a hospital that says itself whose staff they are',
      hospitals({ claims: { ...hospital.claims, organization: 'o' } }),
    ],
    ['two hospitals of one name', hospitals({}, { organization: 'northside' })],
    [
      'a group with a comma, which is no one group in what Cognito tells',
      hospitals({ roles: { 'CN=Doctors,OU=EHR': 'physician' } }),
    ],
    ['more groups than a function can be told of', hospitals({ roles: manyGroups })],
    ['webhooks without encryption', { webhooks: { furtherHosts: ['http://hooks.partner.example'] } }],
    ['webhooks to any host', { webhooks: { furtherHosts: ['https://*'] } }],
    ['webhooks to a path', { webhooks: { furtherHosts: ['https://hooks.partner.example/a'] } }],
    ['nowhere to return to', { signIn: { ...stageNamed('dev').signIn, callbackUrls: [] } }],
  ])('refuses %s', (_, change) => {
    expect(() => parseStage(stageNamed('dev'))).not.toThrow();
    expect(() => parseStage({ ...stageNamed('dev'), ...change })).toThrow();
  });
});
