import { Readable } from 'node:stream';
import type { Asked } from './policy.ts';

/** An answer as the SDK's handler of requests gives it. */
export interface Refusal {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
}

/**
 * A refusal as the service words it, in its protocol. It names no row.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
export const refusalOf = (service: string, caller: string, { action, resource }: Asked, denied: boolean): Refusal => {
  const because = denied
    ? 'with an explicit deny in an identity-based policy'
    : `because no identity-based policy allows the ${action} action`;
  const message = `User: ${caller} is not authorized to perform: ${action} on resource: ${resource} ${because}`;
  if (service === 's3') {
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>${message}</Message></Error>`;
    return {
      statusCode: 403,
      headers: { 'content-type': 'application/xml' },
      body: Readable.from([Buffer.from(body)]),
    };
  }
  // DynamoDB alone writes the second word with a capital.
  const body = JSON.stringify({
    __type: `${service === 'dynamodb' ? 'com.amazon.coral.service#' : ''}AccessDeniedException`,
    [service === 'dynamodb' ? 'Message' : 'message']: message,
  });
  return {
    statusCode: 400,
    headers: { 'content-type': `application/x-amz-json-1.${service === 'dynamodb' ? 0 : 1}` },
    body: Readable.from([Buffer.from(body)]),
  };
};
