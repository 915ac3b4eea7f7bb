import { askedOfDynamoDb } from './asked-of-dynamodb.ts';
import type { ContextOf } from './conditions.ts';
import type { Asked } from './policy.ts';

/** A request as it leaves a client. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Where the names in requests lead to. */
export interface Account {
  readonly region: string;
  readonly id: string;
}

type Input = Readonly<Record<string, unknown>>;

/** The service that a request was signed for, such as `s3`. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html */
export const serviceOf = ({ headers }: Outgoing): string =>
  /Credential=[^/]*\/\d+\/[^/]+\/([\w-]+)\//.exec(headers.authorization ?? '')?.[1] ?? '';

/**
 * What a request asks permission for.
 *
 * @throws Error for what is not known here, which nobody may be taken to have been allowed.
 */
export const askedBy = (request: Outgoing, account: Account): readonly Asked[] => {
  const service = serviceOf(request);
  if (service === 's3') return askedOfS3(request);
  const operation = (request.headers['x-amz-target'] ?? '').split('.').at(-1) ?? '';
  const input = jsonOf(request.body);
  switch (service) {
    case 'dynamodb':
      return askedOfDynamoDb(operation, input, (name) => arnIn(account, 'dynamodb', `table/${name}`));
    case 'events':
      return askedOfEventBridge(operation, input, account);
    case 'sqs':
      return askedOfSqs(operation, input, account);
    case 'kms':
      return askedOfKms(operation, input, account);
    default:
      throw new Error(`The local stack does not know what ${service}:${operation} asks permission for`);
  }
};

export const arnIn = ({ region, id }: Account, service: string, name: string): string =>
  `arn:aws:${service}:${region}:${id}:${name}`;

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html */
const askedOfEventBridge = (operation: string, { Entries = [] }: Input, account: Account): Asked[] =>
  (Entries as readonly { readonly EventBusName?: string; readonly Source?: string }[]).map(
    ({ EventBusName = 'default', Source }) => ({
      action: `events:${operation}`,
      resource: arnIn(account, 'events', `event-bus/${EventBusName}`),
      context: given('events:', { 'events:source': Source }),
    }),
  );

/** A batch needs no permission but its action's. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html */
const askedOfSqs = (operation: string, { QueueUrl }: Input, account: Account): Asked[] => [
  {
    action: `sqs:${operation.replace(/Batch$/, '')}`,
    resource: arnIn(account, 'sqs', String(QueueUrl).split('/').at(-1) ?? ''),
    context: given('sqs:', {}),
  },
];

/** @see https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html */
const askedOfKms = (operation: string, { KeyId, EncryptionContext = {} }: Input, account: Account): Asked[] => {
  const pairs = Object.entries(EncryptionContext as Readonly<Record<string, string>>);
  return [
    {
      action: `kms:${operation}`,
      resource: keyArnIn(account, String(KeyId)),
      context: given(
        'kms:',
        Object.fromEntries(pairs.map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
      ),
    },
  ];
};

/** ARN of a key of the local key service, which knows its keys by alias. */
export const keyArnIn = (account: Account, keyId: string): string =>
  keyId.startsWith('arn:') ? keyId : arnIn(account, 'kms', keyId);

const verbs: Readonly<Record<string, string>> = {
  GET: 'GetObject',
  HEAD: 'GetObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
};

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
const askedOfS3 = ({ method, path, query = {}, headers }: Outgoing): Asked[] => {
  const asked = (action: string, name: string, values: Readonly<Record<string, string | undefined>> = {}): Asked => ({
    action: `s3:${action}`,
    resource: `arn:aws:s3:::${name}`,
    context: given('s3:', values),
  });
  const [bucket = '', ...keyParts] = decodeURIComponent(path).replace(/^\//, '').split('/');
  const key = keyParts.join('/');
  const verb = verbs[method];
  if (key === '' && method === 'GET' && 'list-type' in query)
    return [asked('ListBucket', bucket, { 's3:prefix': typeof query.prefix === 'string' ? query.prefix : '' })];
  if (verb === undefined || key === '') throw new Error(`The local stack does not know what ${method} asks S3 for`);
  const about = 'tagging' in query ? 'Tagging' : 'attributes' in query ? 'Attributes' : '';
  const copied = headers['x-amz-copy-source'];
  return [
    asked(`${verb}${about}`, `${bucket}/${key}`),
    ...(copied === undefined ? [] : [asked('GetObject', decodeURIComponent(copied).replace(/^\//, ''))]),
  ];
};

/** Keys of a request, all of one service; others are not known here. */
const given =
  (prefix: string, values: Readonly<Record<string, string | undefined>>): ContextOf =>
  (key) => {
    if (!key.startsWith(prefix)) throw new Error(`The local stack does not know ${key}`);
    const value = values[key];
    return value === undefined ? undefined : [value];
  };

const utf8 = new TextDecoder();

const jsonOf = (body: unknown): Input =>
  JSON.parse(typeof body === 'string' ? body : utf8.decode(body as Uint8Array)) as Input;
