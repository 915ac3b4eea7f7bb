import { refusedRow } from '../audit/audit-row.ts';
import { RecordError } from '../errors.ts';
import { fhirJson, jsonTypes } from '../http/fhir-request.ts';
import { wanted } from '../http/negotiate.ts';
import type { Address } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import { answerTo, shown } from './answers.ts';
import type { Answer, Interaction, RequestContext } from './context.ts';
import { locate } from './locate.ts';
import { mayAccess, notFound, requireReadable, requireTypeAccess } from './require-access.ts';
import { save } from './save.ts';
import { securityContextOf } from './security-context.ts';
import { planPut, putByCondition } from './update.ts';
import { lastSaid } from './version-of.ts';

/** FHIR read of a Binary: its content, unless the client asks for FHIR. https://hl7.org/fhir/R4/binary.html#rest */
export const readContent: Interaction = (context, { id }) =>
  readBinary(context, { interaction: 'read', name: id, id }, (_, reading) => reading);

/** FHIR vread of a Binary, likewise. */
export const readContentVersion: Interaction = (context, { id, version }) =>
  readBinary(context, { interaction: 'vread', name: `${id}/_history/${version}`, id }, async (address) =>
    /^[1-9]\d{0,9}$/.test(version) ? context.store.readVersion(address, Number(version)) : undefined,
  );

/** FHIR update of a Binary. One read, one transaction, as any update; one read more where the Binary was deleted. */
export const updateContent: Interaction = async (context, { id }) => {
  requireTypeAccess(context, 'u');
  const address = await locate(context, context.recordType.name, id);
  const current = address && (await context.store.read(address));
  const plan = await planPut(await sentFor(context, current), id, current ?? null);
  await save(context, [plan]);
  return answerTo(context, plan);
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

interface Asked {
  readonly interaction: 'read' | 'vread';
  /** Its id, and version if one is asked for. */
  readonly name: string;
  readonly id: string;
}

/**
 * Reads a Binary. What it was last under decides about all of its versions, so that what came before its security context is not open for ever, and
 * about whether it is told of once it is deleted. The trace is beside the read; in the chart that it belongs to by its context, before the answer leaves.
 *
 * @param versionFor - gives the version that is asked for, which is decided about as well.
 */
const readBinary = async (
  context: RequestContext,
  { interaction, name, id }: Asked,
  versionFor: (address: Address, reading: Promise<StoredRecord | undefined>) => Promise<StoredRecord | undefined>,
): Promise<Answer> => {
  requireTypeAccess(context, 'r');
  const { audit, recordType, store } = context;
  const address = await locate(context, recordType.name, id);
  if (!address) throw notFound(context);
  const what = [`${recordType.name}/${name}`];
  const record = await audit.traced(
    { interaction, chart: address.chart, what },
    async () => {
      const reading = store.read(address);
      const [current, asked] = await Promise.all([reading, versionFor(address, reading)]);
      const last = current && !current.resource ? await store.readVersion(address, current.version - 1) : current;
      if (!last || !asked) return undefined;
      const seen = [last, asked].every((version) => mayAccess(context, 'r', version));
      const chart = await chartUnder(context, last);
      if (chart !== undefined && chart !== address.chart) {
        const row = audit.row({ interaction, chart, what });
        await audit.write(seen ? [row] : [row, refusedRow(row)]);
      }
      return seen ? asked : undefined;
    },
    (found) => requireReadable(context, found),
  );
  return asWanted(context, shown(context, requireReadable(context, record)));
};

/** The chart whose log tells of an access to a Binary: that of what it is under. */
const chartUnder = async (context: RequestContext, record: StoredRecord): Promise<string | undefined> => {
  const under = securityContextOf(context, record.resource);
  if (!under || under === 'not-understood') return undefined;
  return (await locate(context, under.type, under.id))?.chart;
};

/**
 * A Binary in the form that the client wants: as FHIR where it names FHIR's type or JSON, else as what it is. Whatever it is, a browser is neither to
 * guess its type nor to run it here: it would run in the name of this server.
 *
 * @throws RecordError `not-acceptable`.
 */
const asWanted = ({ request: { wishes, query } }: RequestContext, answer: Answer): Answer => {
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
