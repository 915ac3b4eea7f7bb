import { isOwnChart } from '../../access/question.ts';
import type { AuditedAccess } from '../../audit/audit-event.ts';
import { auditEvent } from '../../audit/audit-event.ts';
import { withBasis } from '../../audit/audit-log.ts';
import { entryOf, type StoredAuditRow } from '../../audit/audit-row.ts';
import { type DisclosureRow, disclosureLayouts, type Withheld, withheldOf } from '../../audit/disclosure-rows.ts';
import { basisAmong, followingKeys, refusedKey } from '../../audit/following-rows.ts';
import { factsOfType } from '../../record-types/subjects.ts';
import { timeKey } from '../../store/ids.ts';
import { custodianOf } from '../../store/keeping.ts';
import { auditKey, disclosurePartition } from '../../store/keys.ts';
import { rowsBetween } from '../../store/rows-between.ts';
import type { Answer, RequestContext, Target } from '../context.ts';
import { described } from '../described.ts';
import { knownToProxy } from '../known-to-proxy.ts';
import { locate } from '../locate.ts';
import { notFound, requireTypeAccess } from '../require-access.ts';
import { askedPage, countOf, entriesOf, nextLink, requireOnly, selfLink } from '../searchset.ts';
import { toldInWords } from '../told-in-words.ts';

const usualPage = 50;
const largestPage = 100;
/** Rows that a call reads at least: a page of one would else take a call for each row that is not to be told. */
const fewestRows = 100;
/** https://www.ecfr.gov/current/title-45/section-164.528#p-164.528(a)(1) */
const years = 6;
/** Behind all places, which have digits and letters up to `v`. */
const behindPlaces = 'w';

/**
 * `GET Patient/{id}/$disclosures`: to whom what of a chart was disclosed in the last six years, the newest first: what other organisations saw, and what was recorded as
 * disclosed outside. A page takes one Query of the rows that are about this, one BatchGet of the entries that they lead to and one of the records that these name, however much the own staff read.
 *
 * @throws RecordError `forbidden` by role or scope; `not-found` for a chart that is neither the caller's own nor kept by the caller's organisation.
 * @see https://www.ecfr.gov/current/title-45/section-164.528
 */
export const listDisclosures = async (context: RequestContext, { id }: Target): Promise<Answer> => {
  const { asking, audit, store, now, request } = context;
  requireTypeAccess({ ...context, recordType: factsOfType('AuditEvent') }, 's');
  const asked = askedPage(context);
  if (!asked) requireOnly(context, ['_count']);
  const query = asked?.query ?? request.query.filter(([name]) => name === '_count');
  const size = Math.max(countOf(query, usualPage, largestPage), 1);
  const address = await locate(context, 'Patient', id);
  if (!address) throw notFound(context);
  const { chart } = address;
  const patient = `Patient/${id}`;
  const isOwn = asking.caller.organization === undefined;
  const after = typeof asked?.position === 'string' ? asked.position : undefined;
  const { page } = await audit.traced(
    { interaction: 'operation', chart, what: [patient], query: `${patient}/$disclosures` },
    async () => {
      const [head, withheld] = await Promise.all([
        context.sharing.read(address),
        isOwn ? withheldOf(store, chart, now) : undefined,
      ]);
      const may = isOwn
        ? head !== undefined && isOwnChart(asking, chart)
        : (await custodianOf(store, chart, head)) === asking.caller.organization;
      if (!may) return { may, page: { shown: [], next: undefined } };
      return { may, page: await filledPage(context, chart, { withheld, after, size }) };
    },
    ({ may }) => {
      if (!may) throw notFound(context);
    },
  );
  const shown = await described(context, page.shown);
  const narratives = await toldInWords(context, shown);
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    timestamp: new Date(now).toISOString(),
    link: [
      selfLink(context, query),
      ...(page.next === undefined ? [] : [nextLink(context, { query, position: page.next })]),
    ],
    ...entriesOf(
      shown.map((access, index): fhir4.BundleEntry => {
        const text = narratives[index];
        const event = { ...auditEvent({ ...access, patient }), ...(text ? { text } : {}) };
        return {
          fullUrl: `${request.baseUrl}/AuditEvent/${access.id}`,
          resource: event as unknown as fhir4.FhirResource,
          search: { mode: 'match' },
        };
      }),
    ),
  };
  return { statusCode: 200, resource: bundle };
};

type Shown = Omit<AuditedAccess, 'patient'>;

/** Reads until a page is full: what is left out shows neither by a short page nor by a link to an empty one. */
const filledPage = async (
  { store, now, asking }: RequestContext,
  chart: string,
  { withheld, after, size }: { withheld: Withheld | undefined; after: string | undefined; size: number },
): Promise<{ readonly shown: readonly Shown[]; readonly next: string | undefined }> => {
  const oldest = new Date(now);
  oldest.setUTCFullYear(oldest.getUTCFullYear() - years);
  const range = {
    pk: disclosurePartition(chart),
    from: timeKey(oldest.getTime()),
    to: behindPlaces,
    newestFirst: true,
  } as const;
  const found: { readonly sk: string; readonly access: Shown }[] = [];
  let from = after;
  do {
    const { rows, next } = await rowsBetween(store, { ...range, after: from, limit: Math.max(fewestRows, size + 1) });
    const places = rows.map((row) => disclosureLayouts.reader(row['layout'])(row as DisclosureRow));
    const keys = places.map((place) => auditKey(chart, place));
    const logged = new Map(
      (await store.getMany([...keys, ...keys.flatMap(followingKeys)])).map((row) => [row.sk, row as StoredAuditRow]),
    );
    const said = new Set(logged.keys());
    for (const [index, key] of keys.entries()) {
      const row = logged.get(key.sk);
      // Rows of the log are never removed. One that was is not passed over in silence.
      if (!row) throw new Error('The access log has lost a row');
      const id = store.ids.idAt(chart, key.sk);
      const entry = withBasis(entryOf(row, store.ids), basisAmong(key, said));
      const access = knownToProxy(asking.proxy, { id, entry, refused: false });
      if (!access || said.has(refusedKey(key).sk) || withheld?.(access.entry)) continue;
      found.push({ sk: rows[index]?.sk ?? '', access });
    }
    from = next;
  } while (from !== undefined && found.length <= size);
  const shown = found.slice(0, size);
  return {
    shown: shown.map(({ access }) => access),
    next: found.length > size ? shown.at(-1)?.sk : undefined,
  };
};
