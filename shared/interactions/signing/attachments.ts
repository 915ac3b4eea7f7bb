import { uploadedHash, uploadedOf } from '../../content/uploaded.ts';
import { RecordError } from '../../errors.ts';
import { parseReference } from '../../fhir/references.ts';
import type { Resource } from '../../fhir/resource.ts';
import { binary } from '../../record-types/binary.ts';
import { hashOf, signaturesOf, signatureUrl, withMarks } from '../../signing/signature.ts';
import type { RequestContext } from '../context.ts';
import { locate } from '../locate.ts';
import { furtherCharts, type PlannedWrite } from '../plan-write.ts';
import type { ReadableRecord } from '../record-to-change.ts';

/** Attachments that one signature covers. */
const mostAttachments = 20;

/** What a signature covers besides the record. */
interface Covered {
  /** Hash of the content by the address that the record has. */
  readonly attachments: ReadonlyMap<string, string>;
  /** Writes by which the content stays as it is. */
  readonly plans: readonly PlannedWrite[];
}

const attachmentsIn = (resource: Resource): fhir4.Attachment[] => {
  const { content = [], presentedForm = [] } = resource as Partial<fhir4.DocumentReference & fhir4.DiagnosticReport>;
  return [...content.map(({ attachment }) => attachment), ...presentedForm];
};

/**
 * What a record shows that is kept here: each Binary is hashed, and marked so that it stays as it is. What is kept elsewhere is covered by its address, and the hash that the record gives. One
 * call for each.
 *
 * @throws RecordError `business-rule` for a Binary that is not there, or another organisation's; `too-costly`.
 */
export const attachmentsOf = async (context: RequestContext, record: ReadableRecord): Promise<Covered> => {
  const addresses = [...new Set(attachmentsIn(record.resource).flatMap(({ url }) => url ?? []))];
  const here = addresses.flatMap((url) => {
    const named = parseReference(url, context.request.baseUrl);
    if (named.kind === 'record' && named.type === 'Binary') return [{ url, id: named.id, version: named.version }];
    if (leadsHere(url, context.request.baseUrl)) throw missing(record);
    return [];
  });
  if (here.length > mostAttachments)
    throw new RecordError('too-costly', `A signature covers ${mostAttachments} attachments at most`);
  const covered = await Promise.all(
    here.map(async ({ url, id, version }) => {
      const address = await locate(context, 'Binary', id);
      const found = address && (await context.store.read(address));
      if (!address || !found?.resource || found.custodian !== record.custodian) throw missing(record);
      const shown = version === undefined ? found : await context.store.readVersion(address, Number(version));
      if (!shown?.resource) throw missing(record);
      const uploaded = uploadedOf(shown.resource);
      const { data = '' } = shown.resource as { data?: string };
      const hash = uploaded ? uploadedHash(uploaded) : hashOf(Buffer.from(data, 'base64'));
      return { url, hash, plan: await kept(context, { ...found, resource: found.resource }, record, hash) };
    }),
  );
  return {
    attachments: new Map(covered.map(({ url, hash }) => [url, hash])),
    plans: [...new Map(covered.flatMap(({ plan }) => (plan ? [[plan.next.id, plan] as const] : []))).values()],
  };
};

const missing = ({ type }: ReadableRecord) =>
  new RecordError('business-rule', 'An attachment is not there, or is kept by another organisation', {
    reason: 'attachment-missing',
    expression: type,
  });

/** Whether an address is one of this server, however it is written: a browser finds a Binary by `Binary/1?x`, too, which a signature would not cover. */
const leadsHere = (url: string, baseUrl: string): boolean =>
  URL.parse(url, `${baseUrl}/`)?.href.startsWith(`${baseUrl}/Binary/`) ?? false;

/** The next version of a Binary, which says with what it is signed; undefined for one that says so already. */
const kept = async (
  context: RequestContext,
  current: ReadableRecord,
  { type, id }: ReadableRecord,
  hash: string,
): Promise<PlannedWrite | undefined> => {
  if (signaturesOf(current.resource).length > 0) return undefined;
  const own = { ...context, recordType: binary };
  const resource = withMarks(current.resource, [
    {
      url: signatureUrl,
      extension: [
        { url: 'of', valueReference: { reference: `${type}/${id}` } },
        { url: 'hash', valueString: hash },
      ],
    },
  ]);
  return {
    recordType: binary,
    next: {
      ...current,
      version: current.version + 1,
      updated: Math.max(context.now, current.updated + 1),
      resource,
    },
    previous: current,
    interaction: 'update',
    checks: [],
    furtherCharts: await furtherCharts(own, current, resource, current.resource),
    claims: [],
    guards: [],
    warnings: [],
  };
};
