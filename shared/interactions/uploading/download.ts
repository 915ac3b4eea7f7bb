import { allowedTypes, nameOfType } from '../../content/allowed-types.ts';
import { type Uploaded, uploadedHash, uploadedOf } from '../../content/uploaded.ts';
import { contentKey } from '../../store/content-objects.ts';
import type { StoredRecord } from '../../store/rows.ts';
import type { Answer, Interaction, RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { lookAt } from '../look-at.ts';
import { readInput } from '../operation-input.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from '../require-access.ts';
import { contentObjects } from './bucket.ts';

/** Within this time a download begins, in seconds; it may take longer. */
const beginsWithin = 60;

/**
 * `Binary/{id}/$download`: where the content can be had. Decided and traced as a read.
 *
 * @throws RecordError as a read does.
 */
export const download: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'r');
  readInput(context, {});
  const address = await locate(context, 'Binary', id);
  if (!address) throw notFound(context);
  const look = {
    interaction: 'operation',
    what: [`Binary/${id}`],
    query: `Binary/${id}/$download`,
    may: (last: StoredRecord) => mayAccess(context, 'r', last),
  } as const;
  const found = await lookAt(context, address, look, (record) => requireReadable(context, record));
  const record = requireReadable(context, found);
  const { contentType, data = '' } = record.resource as unknown as fhir4.Binary;
  const uploaded = uploadedOf(record.resource);
  const parameter: fhir4.ParametersParameter[] = uploaded
    ? [
        { name: 'url', valueUrl: await addressOf(context, record, uploaded, contentType) },
        { name: 'needsToken', valueBoolean: false },
        { name: 'beginBefore', valueInstant: new Date(context.now + beginsWithin * 1_000).toISOString() },
        { name: 'contentType', valueCode: contentType },
        { name: 'size', valueInteger: uploaded.size },
        { name: 'hash', valueString: uploadedHash(uploaded) },
      ]
    : [
        { name: 'url', valueUrl: `${context.request.baseUrl}/Binary/${id}` },
        { name: 'needsToken', valueBoolean: true },
        { name: 'contentType', valueCode: contentType },
        { name: 'size', valueInteger: Buffer.byteLength(data, 'base64') },
      ];
  return { statusCode: 200, resource: { resourceType: 'Parameters', parameter } };
};

/** The answer to a read of uploaded content as what it is: it lies elsewhere, for a moment. */
export const redirected = async (
  context: RequestContext,
  answer: Answer,
  { id, contentType, uploaded }: { readonly id: string; readonly contentType: string; readonly uploaded: Uploaded },
): Promise<Answer> => {
  const address = await locate(context, 'Binary', id);
  if (!address) throw new Error('What was read has an address');
  const { resource: _resource, ...rest } = answer;
  const Location = await addressOf(context, address, uploaded, contentType);
  return { ...rest, statusCode: 303, headers: { ...rest.headers, Location } };
};

const addressOf = (
  context: RequestContext,
  { type, chart, place }: Pick<StoredRecord, 'type' | 'chart' | 'place'>,
  uploaded: Uploaded,
  contentType: string,
): Promise<string> => {
  const safe = allowedTypes.has(nameOfType(contentType)) ? contentType : 'application/octet-stream';
  const key = contentKey(context.store.ids, { type, chart, place }, uploaded);
  return contentObjects(context).signDownload(key, safe, beginsWithin, context.now);
};
