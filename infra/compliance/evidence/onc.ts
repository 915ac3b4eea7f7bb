import type { Safeguard } from './safeguard.ts';

const pool = { stack: 'sign-in', type: 'AWS::Cognito::UserPool' };
const bodies = { stack: 'documents', type: 'AWS::S3::Bucket' };
const functionOf = (entry: string) => ({
  type: 'AWS::Lambda::Function',
  has: { Description: `Concord production: ${entry}` },
});

/** The privacy and security criteria of ONC's certification. https://www.ecfr.gov/current/title-45/section-170.315#p-170.315(d) */
export const oncCriteria: readonly Safeguard[] = [
  {
    citation: '170.315(d)(1)',
    title: 'Authentication, access control, authorization',
    met: 'As 164.312(a)(1), (a)(2)(i) and (d): somebody is who they are to the pool, and sees and does what role, organisation, consent and scope allow.',
    constructs: [
      { ...pool, says: 'who signs in' },
      { stack: 'sign-in', type: 'AWS::Cognito::UserPoolGroup', says: 'a group for each role' },
    ],
    rules: ['Concord-ScopedMethods', 'AwsSolutions-COG2'],
    tests: [
      ['test/infra/sign-in-stack.test.ts', 'has a group for every role of staff, and none for patients'],
      ['test/http/access.test.ts', 'says whether scope or role is in the way'],
    ],
    yours: 'Who gets which role.',
  },
  {
    citation: '170.315(d)(2)',
    title: 'Auditable events and tamper-resistance',
    met: 'Every create, read, search, change, deletion, refusal and sign-in leaves a row, of which no function may change or delete any. Nobody can turn the log off: there is no setting that does, and the request fails without its row. What was altered all the same is named by the chain and its digests.',
    constructs: [
      {
        ...bodies,
        has: {
          ObjectLockEnabled: true,
          ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'COMPLIANCE' } } },
        },
        says: 'digests that nobody can remove, whoever it is',
      },
      {
        stack: 'sharing',
        ...functionOf('functions/verify-digests.ts'),
        says: 'what looks daily whether the log was altered',
      },
    ],
    rules: ['Concord-KeptLogs'],
    tests: [
      ['test/store/audit-trail.test.ts', 'fails where its trace cannot be written, and shows nothing'],
      ['test/infra/functions.test.ts', 'have no variable that could switch a check off or send a client elsewhere'],
      ['test/store/audit-digests.test.ts', 'names %s'],
    ],
    yours:
      'Clocks are those of AWS, which it synchronises. Content is mapped to ASTM E2147 by you, from the AuditEvents.',
  },
  {
    citation: '170.315(d)(3)',
    title: 'Audit report(s)',
    met: 'The log is read as AuditEvents, of a patient or of an organisation by day, for a time that is named, newest first; a report takes its pages and sorts them as it needs.',
    constructs: [{ stack: 'api', ...functionOf('functions/records/audit-event.ts'), says: 'what reads the log' }],
    rules: [],
    tests: [
      ['test/http/access.test.ts', 'can be searched and read one by one, by those who may'],
      [
        'test/store/audit-trail.test.ts',
        'leads to what an organisation’s people did on a day of UTC, under the ids of the charts’ own logs',
      ],
    ],
    yours: 'Reports on a schedule, and who reads them.',
  },
  {
    citation: '170.315(d)(4)',
    title: 'Amendments',
    met: 'A patient asks for an amendment of a record. It is accepted, with a link to what amends the record, or denied on a ground of the law, with the patient’s disagreement and the answer to it beside the record.',
    constructs: [{ stack: 'api', ...functionOf('functions/records/task.ts'), says: 'where it is decided' }],
    rules: [],
    tests: [
      [
        'test/http/amendments.test.ts',
        'that is accepted is linked to what amends the record, and those who received it are told',
      ],
      [
        'test/http/amendments.test.ts',
        'is denied on a ground of the law, after which the patient disagrees and the organisation answers',
      ],
    ],
    yours: 'The decision, in sixty days.',
  },
  {
    citation: '170.315(d)(5)',
    title: 'Automatic access time-out',
    met: 'As 164.312(a)(2)(iii): a token is good for an hour, a sign-in for twelve, and then somebody signs in again.',
    constructs: [
      {
        stack: 'sign-in',
        type: 'AWS::Cognito::UserPoolClient',
        has: { AccessTokenValidity: 60 },
        says: 'tokens of an hour',
      },
    ],
    rules: [],
    tests: [
      [
        'test/infra/sign-in-stack.test.ts',
        'gives %s access for an hour, revocably, and tells nobody who has an account',
      ],
    ],
    yours: 'Applications stop after a time without use: the server sees requests, and whoever reads sends none.',
  },
  {
    citation: '170.315(d)(6)',
    title: 'Emergency access',
    met: 'As 164.312(a)(2)(ii): breaking the glass.',
    constructs: [{ stack: 'api', ...functionOf('functions/records/patient.ts'), says: 'where the glass is broken' }],
    rules: [],
    tests: [
      ['test/http/emergency.test.ts', 'ends by the clock, and is renewed by a new reason'],
      ['test/http/emergency.test.ts', 'is a privacy officer of each organisation concerned'],
    ],
    yours: 'Who may, by the roles that you give.',
  },
  {
    citation: '170.315(d)(7)',
    title: 'End-user device encryption',
    met: 'Concord is a server and puts nothing on a device. Answers say that they are not to be stored; downloads go by addresses that end.',
    constructs: [{ stack: 'api', type: 'AWS::ApiGateway::RestApi', says: 'answers that are not to be stored' }],
    rules: [],
    tests: [['test/http/read-update-delete.test.ts', 'answers with the record, its version and its time']],
    yours:
      'Applications that keep records on a device encrypt them; devices are encrypted; downtime packs are kept as their runbook says.',
  },
  {
    citation: '170.315(d)(8)',
    title: 'Integrity',
    met: 'As 164.312(c)(2) and (e)(2)(i): hashes of SHA-256 in signatures of records and of notifications.',
    constructs: [{ stack: 'sharing', type: 'AWS::KMS::Key', has: { KeySpec: 'HMAC_256' }, says: 'codes of SHA-256' }],
    rules: [],
    tests: [
      ['test/http/signing.test.ts', 'makes a note final, with who signed, when, and a hash that anybody can check'],
      ['test/unit/webhooks/signature.test.ts', 'signs the known message as the specification does'],
    ],
  },
  {
    citation: '170.315(d)(9)',
    title: 'Trusted connection',
    met: 'As 164.312(e)(1): TLS on every way in and out.',
    constructs: [{ stack: 'documents', type: 'AWS::S3::BucketPolicy', says: 'TLS 1.2 and newer' }],
    rules: ['Concord-EncryptedTransport'],
    tests: [['test/unit/webhooks/post.test.ts', 'is used where the certificate is for the host and trusted']],
  },
  {
    citation: '170.315(d)(10)',
    title: 'Auditing actions on health information',
    met: 'As (d)(2), by default and for all.',
    constructs: [{ stack: 'sharing', ...functionOf('functions/file-accesses.ts'), says: 'what chains the rows' }],
    rules: ['Concord-KeptLogs'],
    tests: [
      [
        'test/http/access.test.ts',
        'tells of create, read, search, update, delete and refusal, newest first, with who and for whom',
      ],
      ['test/store/audit-chain.test.ts', 'names a row that was altered'],
    ],
  },
  {
    citation: '170.315(d)(11)',
    title: 'Accounting of disclosures',
    met: 'Each access of another organisation, and each disclosure that is recorded, is listed for six years, to the patient and to the privacy officers of who keeps the chart.',
    constructs: [{ stack: 'api', ...functionOf('functions/records/patient.ts'), says: 'what lists disclosures' }],
    rules: [],
    tests: [
      [
        'test/http/disclosures.test.ts',
        'tells of what another organisation saw and what was recorded, newest first, and of nothing that the own staff did',
      ],
      ['test/http/disclosures.test.ts', 'wants to know to whom, when, what and why'],
    ],
    yours: 'Disclosures that go another way than through Concord are recorded.',
  },
  {
    citation: '170.315(d)(12)',
    title: 'Encrypt authentication credentials',
    met: 'Yes: Concord stores no password. Cognito keeps verifiers of them, encrypted, and staff prove a password by SRP, which does not send it. Secrets of Subscriptions are encrypted by a key of their own, and never read back.',
    constructs: [
      {
        stack: 'sign-in',
        type: 'AWS::Cognito::UserPoolClient',
        has: { ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH'] },
        says: 'passwords that are not sent',
      },
      {
        stack: 'records',
        type: 'AWS::KMS::Key',
        has: { Description: 'Concord production: secrets of Subscriptions' },
        says: 'the key of secrets',
      },
    ],
    rules: ['Concord-EncryptedAtRest'],
    tests: [
      [
        'test/infra/grants.test.ts',
        'let what serves Subscriptions encrypt their secrets, and nobody who does that decrypt them',
      ],
      [
        'test/unit/subscription-secrets.test.ts',
        'are taken out of it: the values of its headers, and what it is signed with',
      ],
    ],
  },
  {
    citation: '170.315(d)(13)',
    title: 'Multi-factor authentication',
    met: 'Yes, for staff: a code of an application beside the password, or what the hospital’s own sign-in asks for.',
    constructs: [{ ...pool, has: { MfaConfiguration: 'ON' }, says: 'a second factor' }],
    rules: ['AwsSolutions-COG2'],
    tests: [
      [
        'test/infra/sign-in-stack.test.ts',
        'asks staff for a second factor in production, patients for one if they like, and never by text message',
      ],
    ],
  },
];
