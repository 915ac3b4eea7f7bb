import { uploadedOf } from '../content/uploaded.ts';
import { RecordError } from '../errors.ts';
import type { Resource } from '../fhir/resource.ts';
import { fhirJson, jsonTypes } from '../http/fhir-request.ts';
import { wanted } from '../http/negotiate.ts';
import type { StoredRecord } from '../store/rows.ts';
import { answerTo } from './answers.ts';
import type { Answer, Interaction, RequestContext, Target } from './context.ts';
import { locate } from './locate.ts';
import { lookAgain } from './look-again.ts';
import { readRecord } from './read.ts';
import { requireTypeAccess } from './require-access.ts';
import { save } from './save.ts';
import { planPut, putByCondition } from './update.ts';
import { lastSaid } from './version-of.ts';
import { readVersion } from './vread.ts';

/** FHIR read of a Binary: its content, unless the client asks for FHIR. https://hl7.org/fhir/R4/binary.html#rest */
export const readContent: Interaction = async (context, target) =>
  asWanted(context, target, await readRecord(context, target));

/** FHIR vread of a Binary, likewise. */
export const readContentVersion: Interaction = async (context, target) =>
  asWanted(context, target, await readVersion(context, target));

/** FHIR update of a Binary. One read, one transaction, as any update; one read more where the Binary was deleted. */
export const updateContent: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'u');
  const address = await locate(context, context.recordType.name, id);
  const current = address && (await context.store.read(address));
  const sent = await sentFor(context, current);
  return lookAgain(async () => {
    const plan = await planPut(sent, id, current ?? null);
    await save(context, [plan]);
    return answerTo(context, plan);
  });
};

/** FHIR conditional update of a Binary, likewise. */
export const updateContentByCondition: Interaction = (context) =>
  putByCondition(context, (match) => sentFor(context, match));

/**
 * The request for a Binary as it is meant for the one that it replaces. Content that is sent as it is says nothing of its security context, unless a header
 * does: then it keeps the one that it has, or had as it was deleted. To lose it by the way would show the content to whoever may not see it.
 */
const sentFor = async (context: RequestContext, current: StoredRecord | undefined): Promise<RequestContext> => {
  const { request } = context;
  if (!request.raw || !current) return context;
  const { securityContext } = ((await lastSaid(context, current))?.resource ?? {}) as Partial<fhir4.Binary>;
  if (!securityContext) return context;
  return { ...context, request: { ...request, body: { securityContext, ...(request.body as object) } } };
};

/**
 * A Binary in the form that the client wants: as FHIR where it names FHIR's type or JSON, else as what it is. Whatever it is, a browser is neither to
 * guess its type nor to run it here: it would run in the name of this server. Uploaded content is had from the object store.
 *
 * @throws RecordError `not-acceptable`.
 */
const asWanted = async (context: RequestContext, { id }: Target, answer: Answer): Promise<Answer> => {
  const { wishes, query } = context.request;
  const binary = answer.resource as fhir4.Binary | undefined;
  const inPart = query.some(([name]) => name === '_summary' || name === '_elements');
  if (!binary || wishes.length === 0 || inPart) return answer;
  const type = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:; ?[ -~]+)?$/.test(binary.contentType)
    ? binary.contentType
    : 'application/octet-stream';
  const name = type.split(';')[0]?.toLowerCase() ?? '';
  const [best] = wanted(wishes, [name, ...jsonTypes.filter((json) => json !== name)]);
  if (best === undefined) {
    throw new RecordError('not-acceptable', `The content has another type; ${fhirJson} is offered as well`, {
      expression: 'Accept',
    });
  }
  const asFhir = name === fhirJson && wishes.some((wish) => wish.name === fhirJson);
  if (best !== name || asFhir) return answer;
  const uploaded = uploadedOf(answer.resource as Resource);
  if (uploaded) {
    const { redirected } = await import('./uploading/uploading.lazy.ts');
    return redirected(context, answer, { id, contentType: type, uploaded });
  }
  const { resource: _resource, headers, ...rest } = answer;
  const under = binary.securityContext?.reference;
  return {
    ...rest,
    content: { type, bytes: Buffer.from(binary.data ?? '', 'base64') },
    headers: {
      ...headers,
      'Content-Disposition': 'attachment',
      'Content-Security-Policy': "default-src 'none'; sandbox",
      ...(under !== undefined && /^[!-~]+$/.test(under) ? { 'X-Security-Context': under } : {}),
    },
  };
};
