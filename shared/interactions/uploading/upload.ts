import { randomBytes } from 'node:crypto';
import { allowedTypes, nameOfType } from '../../content/allowed-types.ts';
import { RecordError } from '../../errors.ts';
import type { Resource } from '../../fhir/resource.ts';
import { toBase32 } from '../../store/base32.ts';
import type { Announced } from '../../store/content-objects.ts';
import type { Interaction, RequestContext } from '../context.ts';
import { readInput } from '../operation-input.ts';
import { parseBody } from '../parse-body.ts';
import { requireTypeAccess } from '../require-access.ts';
import { securityContextOf } from '../security-context.ts';
import { requireAlone } from './alone.ts';
import { contentObjects, uploadsOf } from './bucket.ts';
import { uploadInput } from './input.ts';
import { sealTicket, type Ticket } from './ticket.ts';

/** Within this time an upload begins, in seconds; it may take longer. */
const beginsWithin = 300;

/**
 * `Binary/$upload`: where content can be put that is too large for a request. Nothing is looked up, and nothing is stored: whatever decides about a new Binary decides as the upload is completed.
 *
 * @throws RecordError `forbidden`; `invalid`; `business-rule` for a type that is not taken; `too-large`.
 */
export const upload: Interaction = async (context) => {
  requireTypeAccess(context, 'c');
  requireAlone(context);
  const { contentType, size, sha256, securityContext } = readInput(context, uploadInput);
  const announced = { contentType, size, sha256: sha256.toLowerCase() };
  requireAllowed(context, announced);
  const { store, request, now } = context;
  const ticket: Ticket = {
    ...announced,
    name: toBase32(randomBytes(16)),
    chart: store.ids.newChart(),
    ...(securityContext?.reference === undefined ? {} : { securityContext: securityContext.reference }),
  };
  const resource = binaryOf(context, ticket);
  if (securityContext && !isUnderstood(context, resource)) throw unclear();
  const { url, headers } = await contentObjects(context).signUpload(ticket.name, announced, beginsWithin, now);
  const { 'content-length': _counted, ...sent } = headers;
  const parameter: fhir4.ParametersParameter[] = [
    { name: 'upload', valueString: sealTicket(context, ticket) },
    { name: 'binary', valueReference: { reference: `Binary/${ticket.chart}` } },
    { name: 'method', valueCode: 'PUT' },
    { name: 'url', valueUrl: url },
    ...Object.entries(sent).map(([name, value]) => ({
      name: 'header',
      part: [
        { name: 'name', valueString: name },
        { name: 'value', valueString: value },
      ],
    })),
    { name: 'beginBefore', valueInstant: new Date(now + beginsWithin * 1_000).toISOString() },
    { name: 'complete', valueUrl: `${request.baseUrl}/Binary/$complete` },
  ];
  return { statusCode: 200, resource: { resourceType: 'Parameters', parameter } };
};

/** The Binary that a ticket is for, as far as its sender says what it is. */
export const binaryOf = (context: RequestContext, { contentType, securityContext }: Ticket): Resource => {
  const resource = {
    resourceType: 'Binary',
    contentType,
    ...(securityContext === undefined ? {} : { securityContext: { reference: securityContext } }),
  };
  return parseBody(context.recordType, resource).resource;
};

const isUnderstood = (context: RequestContext, resource: Resource): boolean => {
  const under = securityContextOf(context, resource);
  return under !== undefined && under !== 'not-understood';
};

const unclear = () =>
  new RecordError(
    'invalid',
    'A security context names a record of this server, other than a Binary, by its reference',
    {
      reason: 'reference-not-found',
      expression: 'securityContext',
    },
  );

const requireAllowed = (context: RequestContext, { contentType, size, sha256 }: Announced): void => {
  if (!/^[0-9a-f]{64}$/.test(sha256))
    throw new RecordError('invalid', 'The SHA-256 has 64 hexadecimal digits', { expression: 'sha256' });
  if (!/^[ -~]{1,255}$/.test(contentType) || !allowedTypes.has(nameOfType(contentType))) {
    throw new RecordError('business-rule', 'Content of this type is not uploaded', {
      reason: 'content-type-not-allowed',
      expression: 'contentType',
    });
  }
  const { largestMegabytes } = uploadsOf(context);
  if (size > largestMegabytes * 1_000_000) {
    throw new RecordError('too-large', `Content may have ${largestMegabytes} MB`, {
      reason: 'content-too-large',
      expression: 'size',
    });
  }
};
