import type { Safeguard } from './safeguard.ts';

const table = { stack: 'records', type: 'AWS::DynamoDB::GlobalTable' };
const bodies = { stack: 'documents', type: 'AWS::S3::Bucket' };
const api = { stack: 'api', type: 'AWS::ApiGateway::RestApi' };
const pool = { stack: 'sign-in', type: 'AWS::Cognito::UserPool' };

/** The technical safeguards of the Security Rule. https://www.ecfr.gov/current/title-45/section-164.312 */
export const hipaaSafeguards: readonly Safeguard[] = [
  {
    citation: '164.312(a)(1)',
    title: 'Access control',
    kind: 'standard',
    met: 'The gateway takes requests with an access token of the pools and a scope alone. Then one pure function decides for every door: scope, role, organisation and consent, labels. Each function of AWS has a role of its own, which names its table, keys and rows.',
    constructs: [
      { ...api, says: 'an authorizer with scopes on every method that is not open' },
      { stack: 'api', type: 'AWS::IAM::Role', says: 'a role for each function' },
    ],
    rules: [
      'Concord-ScopedMethods',
      'Concord-OwnRoles',
      'Concord-NothingPublic',
      'AwsSolutions-IAM5',
      'HIPAA.Security-IAMPolicyNoStatementsWithAdminAccess',
    ],
    tests: [
      ['test/http/access.test.ts', 'meets, by every route, what somebody meets who asks for nothing that exists'],
      [
        'test/infra/api-stack.test.ts',
        'asks for an access token that has passed a trigger by every method of every path that is not open',
      ],
      ['test/infra/grants.test.ts', 'of %s allow no resource by wildcard without a reason'],
    ],
    yours:
      'Who gets which role, and when it ends (164.308(a)(3) and (4)); the agreements with AWS and with whoever else works on your behalf (164.308(b)).',
  },
  {
    citation: '164.312(a)(2)(i)',
    title: 'Unique user identification',
    kind: 'required',
    met: 'People sign in by an account of their own, which an administrator or the own identity provider makes. Their subject, their organisation and their entry of the directory are in each token, and in each row of the access log.',
    constructs: [
      {
        ...pool,
        has: { AdminCreateUserConfig: { AllowAdminCreateUserOnly: true } },
        says: 'accounts that an administrator enters',
      },
    ],
    rules: ['Concord-ScopedMethods'],
    tests: [
      [
        'test/unit/token-claims.test.ts',
        'adds organization, roles and fhirUser, which is all that the functions ask of a token',
      ],
      [
        'test/http/access.test.ts',
        'tells of create, read, search, update, delete and refusal, newest first, with who and for whom',
      ],
      ['test/infra/sign-in-stack.test.ts', 'lets no app of %s change who somebody is to Concord'],
    ],
    yours: 'Nobody shares an account: training and sanctions (164.308(a)(1)(ii)(C), (a)(5)).',
  },
  {
    citation: '164.312(a)(2)(ii)',
    title: 'Emergency access procedure',
    kind: 'required',
    met: 'A clinician who treats the patient breaks the glass with a reason: reading is open for a limited time, each access is flagged, patient and privacy officers are told, and a privacy officer who is somebody else reviews it.',
    constructs: [
      {
        stack: 'api',
        type: 'AWS::Lambda::Function',
        has: { Description: 'Concord production: functions/records/patient.ts' },
        says: 'where the glass is broken',
      },
    ],
    rules: [],
    tests: [
      ['test/http/emergency.test.ts', 'opens what others keep of the patient, at every door, to whoever broke it'],
      ['test/http/emergency.test.ts', 'is the log: each access by it is flagged, and no other one'],
      ['test/http/emergency.test.ts', 'is not for who broke the glass, whatever else they are'],
    ],
    yours: 'Who reviews, and how care goes on while nothing can be reached (164.308(a)(7)(ii)(C)).',
  },
  {
    citation: '164.312(a)(2)(iii)',
    title: 'Automatic logoff',
    kind: 'addressable',
    met: 'An access token lives for an hour and a sign-in is renewed for twelve; then it takes the password and the second factor again. Whoever signs out, or is turned off, is denied within a minute.',
    constructs: [
      {
        stack: 'sign-in',
        type: 'AWS::Cognito::UserPoolClient',
        has: { AccessTokenValidity: 60, EnableTokenRevocation: true },
        says: 'tokens that live for an hour and can be revoked',
      },
    ],
    rules: [],
    tests: [
      [
        'test/infra/sign-in-stack.test.ts',
        'gives %s access for an hour, revocably, and tells nobody who has an account',
      ],
      [
        'test/unit/verify-access-token.test.ts',
        'refuses a token from the moment that it expires, however often it was accepted before',
      ],
      ['test/http/revoke-access.test.ts', 'ends the sign-in of the token, and no other of its user'],
    ],
    yours:
      'Applications end a session that nobody uses, and workstations lock: Concord sees requests and no screens (164.310(c)).',
  },
  {
    citation: '164.312(a)(2)(iv)',
    title: 'Encryption and decryption',
    kind: 'addressable',
    met: 'Everything that holds data is encrypted by keys of the account, a key for each purpose, which are changed every year. Roles use them through the one service that they are for. Secrets of Subscriptions are encrypted once more.',
    constructs: [
      { ...table, has: { SSESpecification: { SSEEnabled: true, SSEType: 'KMS' } }, says: 'records' },
      { ...bodies, says: 'bodies and digests' },
      { stack: 'records', type: 'AWS::KMS::Key', has: { EnableKeyRotation: true }, says: 'keys that are changed' },
      { stack: 'sharing', type: 'AWS::SQS::Queue', says: 'what waits' },
      { stack: 'api', type: 'AWS::Logs::LogGroup', says: 'logs' },
    ],
    rules: [
      'Concord-EncryptedAtRest',
      'Concord-GuardedKeys',
      'AwsSolutions-KMS5',
      'HIPAA.Security-S3DefaultEncryptionKMS',
      'HIPAA.Security-CloudWatchLogGroupEncrypted',
      'HIPAA.Security-SNSEncryptedKMS',
      'AwsSolutions-SQS2',
    ],
    tests: [
      ['test/infra/own-rules.test.ts', '%s finds %s'],
      ['test/infra/records-stack.test.ts', 'is encrypted with a key of the customer, which is rotated'],
      [
        'test/infra/grants.test.ts',
        'let the key of the records be used through DynamoDB alone, and that of bodies through S3 to read and write them',
      ],
    ],
    yours: 'Who administers the keys in the account.',
  },
  {
    citation: '164.312(b)',
    title: 'Audit controls',
    kind: 'standard',
    met: 'The row of the access log is durable before data leaves: if it cannot be written, the request fails. Rows are chained, the ends of the chains are written daily where nobody can change them, and verified daily. The gateway logs every call without what it asked for. Sign-ins, failed ones too, are in the same log.',
    constructs: [
      { ...bodies, has: { ObjectLockEnabled: true }, says: 'digests of the access log, locked' },
      {
        stack: 'sharing',
        type: 'AWS::KMS::Key',
        has: { KeyUsage: 'GENERATE_VERIFY_MAC' },
        says: 'the key that authenticates digests',
      },
      { stack: 'sharing', type: 'AWS::CloudWatch::Alarm', says: 'who is told when the log is not as it was written' },
      { stack: 'api', type: 'AWS::Logs::LogGroup', says: 'the log of calls, kept for six years' },
    ],
    rules: [
      'Concord-KeptLogs',
      'AwsSolutions-APIG1',
      'HIPAA.Security-CloudWatchLogGroupRetentionPeriod',
      'HIPAA.Security-CloudWatchAlarmAction',
    ],
    tests: [
      ['test/store/audit-trail.test.ts', 'fails where its trace cannot be written, and shows nothing'],
      ['test/store/audit-trail.test.ts', 'is only ever added to: a row that exists is not written again'],
      ['test/store/sign-ins.test.ts', 'gives no token where its row cannot be written'],
      ['test/infra/api-stack.test.ts', 'logs every access without its address, query or body'],
      [
        'test/infra/grants.test.ts',
        'let one function write digests and another one verify them, and no role remove any',
      ],
    ],
    yours: 'Somebody reads the log and the alarms, and there is a procedure for what they find (164.308(a)(1)(ii)(D)).',
  },
  {
    citation: '164.312(c)(1)',
    title: 'Integrity',
    kind: 'standard',
    met: 'A version that was written is never changed: an update makes another one, and a condition lets one of two writers win. No function may delete the table, a key, rows of the access log or digests. What is lost by mistake is had back: every second of 35 days, every version of a body.',
    constructs: [
      {
        ...table,
        has: {
          Replicas: [
            { DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } },
          ],
        },
        says: 'restored to any second, and deleted by nobody',
      },
      { ...bodies, has: { VersioningConfiguration: { Status: 'Enabled' } }, says: 'every version of a body' },
    ],
    rules: ['Concord-RecoverableTable', 'Concord-OutlivesStack', 'HIPAA.Security-S3BucketVersioningEnabled'],
    tests: [
      ['test/http/read-update-delete.test.ts', 'lets exactly one writer replace a version that all of them name'],
      ['test/http/read-update-delete.test.ts', 'answers with each version as it was'],
      ['test/infra/grants.test.ts', 'let no function scan, or change the table itself'],
    ],
    yours: 'Drills of restoring, and what is done with what they show (164.308(a)(7)(ii)(D)).',
  },
  {
    citation: '164.312(c)(2)',
    title: 'Mechanism to authenticate electronic protected health information',
    kind: 'addressable',
    met: 'The chain over the access log names each row that was altered, removed or inserted. A signature of a note, an order or a report holds a hash of what was signed, which anybody can check. Ids and links of pages are authenticated, so that none is made up.',
    constructs: [
      {
        stack: 'sharing',
        type: 'AWS::Lambda::Function',
        has: { Description: 'Concord production: functions/verify-digests.ts' },
        says: 'what verifies the log daily',
      },
      {
        stack: 'sharing',
        type: 'AWS::KMS::Key',
        has: { KeySpec: 'HMAC_256' },
        says: 'the key of its codes, which leaves KMS never',
      },
    ],
    rules: [],
    tests: [
      ['test/store/audit-chain.test.ts', 'names a row that was altered'],
      ['test/store/audit-chain.test.ts', 'names a row that was removed, also by the stream'],
      ['test/http/signing.test.ts', 'makes a note final, with who signed, when, and a hash that anybody can check'],
    ],
  },
  {
    citation: '164.312(d)',
    title: 'Person or entity authentication',
    kind: 'standard',
    met: 'Staff show a second factor in production, or sign in where their hospital asks for one. Passwords that were stolen elsewhere are watched for. Every function checks signature, issuer, client and time of a token itself, behind the gateway.',
    constructs: [
      {
        ...pool,
        has: { MfaConfiguration: 'ON', EnabledMfas: ['SOFTWARE_TOKEN_MFA'] },
        says: 'a second factor, not by text message',
      },
      { ...pool, has: { UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' } }, says: 'threat protection' },
    ],
    rules: ['AwsSolutions-COG2', 'AwsSolutions-COG8'],
    tests: [
      [
        'test/infra/sign-in-stack.test.ts',
        'asks staff for a second factor in production, patients for one if they like, and never by text message',
      ],
      [
        'test/unit/verify-access-token.test.ts',
        'refuses a token that differs from an accepted one in its signature alone',
      ],
      ['test/local/authorizer.test.ts', 'refuses a token that has expired, and one of another pool'],
    ],
    yours: 'Who somebody is, before they get an account.',
  },
  {
    citation: '164.312(e)(1)',
    title: 'Transmission security',
    kind: 'standard',
    met: 'The API is reached by HTTPS alone. Bucket, queues and topic refuse whoever comes without TLS. Notifications go to public addresses by TLS with a certificate that is trusted; events name a record and nothing that is in it.',
    constructs: [
      { ...api, says: 'served by HTTPS alone' },
      { stack: 'sharing', type: 'AWS::SQS::QueuePolicy', says: 'no message without TLS' },
      { stack: 'documents', type: 'AWS::S3::BucketPolicy', says: 'no body by less than TLS 1.2' },
    ],
    rules: [
      'Concord-EncryptedTransport',
      'AwsSolutions-S10',
      'AwsSolutions-SQS4',
      'HIPAA.Security-S3BucketSSLRequestsOnly',
    ],
    tests: [
      ['test/unit/webhooks/post.test.ts', 'is not replaced by plain HTTP'],
      ['test/infra/sharing-stack.test.ts', 'refuses messages that do not come by TLS'],
      ['test/infra/documents-stack.test.ts', 'refuses what comes unencrypted or by an old TLS, and allows nothing'],
    ],
    yours: 'Networks and devices between your people and the internet.',
  },
  {
    citation: '164.312(e)(2)(i)',
    title: 'Integrity controls',
    kind: 'addressable',
    met: 'TLS, and beyond it: requests of AWS clients are signed whole; notifications are signed by Standard Webhooks, with their time; a write may name the version that it replaces, and one that names another is refused.',
    constructs: [
      {
        stack: 'sharing',
        type: 'AWS::Lambda::Function',
        has: { Description: 'Concord production: functions/deliver.ts' },
        says: 'what signs notifications',
      },
    ],
    rules: ['Concord-EncryptedTransport'],
    tests: [
      ['test/unit/webhooks/signature.test.ts', 'signs the known message as the specification does'],
      [
        'test/http/read-update-delete.test.ts',
        'refuses with 412 when If-Match names another version, and changes nothing',
      ],
    ],
  },
  {
    citation: '164.312(e)(2)(ii)',
    title: 'Encryption',
    kind: 'addressable',
    met: 'As for transmission security: nothing of a patient goes anywhere in plain text.',
    constructs: [
      { stack: 'documents', type: 'AWS::S3::BucketPolicy', says: 'TLS 1.2 and newer' },
      { stack: 'sharing', type: 'AWS::SNS::TopicPolicy', says: 'no alarm without TLS' },
    ],
    rules: ['Concord-EncryptedTransport', 'AwsSolutions-SNS3', 'HIPAA.Security-S3BucketSSLRequestsOnly'],
    tests: [
      ['test/unit/webhooks/post.test.ts', 'is used where the certificate is for the host and trusted'],
      ['test/infra/own-rules.test.ts', '%s finds %s'],
    ],
  },
];
