import { derivedLabels } from '../access/derived-labels.ts';
import { payersRestricted } from '../access/payer-restriction.ts';
import { RecordError } from '../errors.ts';
import { parseReference } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import { dateInterval } from '../search/date-range.ts';
import { type DirectiveRow, directiveLayouts } from '../store/directive-rows.ts';
import { accessRowsOf } from '../store/directives.ts';
import { type Address, directivePrefix } from '../store/keys.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { RequestContext } from './context.ts';
import { locate } from './locate.ts';
import type { PlannedWrite } from './plan-write.ts';

type Context = Omit<RequestContext, 'recordType'>;

/** What a Consent comes to, in the claim's chart or in one that is linked with it. */
interface Given {
  readonly chart: string;
  readonly row: DirectiveRow;
}

/** Payers that a Consent keeps a claim from. */
interface Restricted {
  readonly consent: Address;
  readonly payers: readonly string[];
}

/**
 * Requires of claims that no Consent keeps them from the insurer that they ask: of those that the claim's own custodian keeps, for others bind who keeps them. One Query a chart, and of those that are linked with it; where there
 * is a restriction of what is claimed, also what tells who pays. A claim that was made before the Consent, and one that was kept from the insurer no less before, are facts.
 *
 * @param plans - all of the request: a claim may name a Coverage that comes with it.
 * @throws RecordError `business-rule` with the reason `payer-restricted`; `too-costly`.
 */
export const requireUnrestricted = async (
  context: Context,
  asking: readonly PlannedWrite[],
  plans: readonly PlannedWrite[],
): Promise<void> => {
  const charts = [...Map.groupBy(asking, ({ next }) => next.chart)];
  await Promise.all(
    charts.map(async ([chart, claims]) => {
      const filed = await accessRowsOf(context.store, chart);
      if (!filed) throw new RecordError('too-costly', 'The chart has more Consents than can be looked through');
      const directives = [{ chart, rows: filed.rows }, ...filed.linked].flatMap((each) =>
        each.rows.flatMap((row): Given[] => ('rule' in row ? [{ chart: each.chart, row }] : [])),
      );
      for (const { next, previous } of claims) {
        const said = await restrictedIn(context, directives, next, plans);
        if (said.length === 0) continue;
        const before = previous && (await restrictedIn(context, directives, previous, plans));
        if (isSent(previous) && before && said.every((payer) => before.includes(payer))) continue;
        throw refused();
      }
    }),
  );
};

const isSent = (previous: StoredRecord | undefined): boolean =>
  (previous?.resource as fhir4.Claim | undefined)?.status === 'active';

/** The payers of a claim that it is kept from. */
const restrictedIn = async (
  context: Context,
  directives: readonly Given[],
  claim: StoredRecord,
  plans: readonly PlannedWrite[],
): Promise<readonly string[]> => {
  const { now, policy, programmes } = context;
  const { resource, custodian, labels } = claim;
  if (!resource) return [];
  const derived = derivedLabels(policy, programmes)(resource, custodian);
  const record = { ...claim, labels: [...new Set([...labels, ...derived])] };
  const restricted = directives.flatMap(({ chart, row }): Restricted[] => {
    const directive = directiveLayouts.reader(row.layout)(row);
    if (directive.custodian !== custodian) return [];
    const place = row.sk.slice(directivePrefix.length);
    const payers = payersRestricted(directive.rule, { record, now });
    return payers.length > 0 ? [{ consent: { type: 'Consent', chart, place }, payers }] : [];
  });
  if (restricted.length === 0) return [];
  const asked = await payersOf(context, resource as unknown as fhir4.Claim, plans);
  // Who pays may be anybody, where a claim does not say it so that it is understood.
  const meant = restricted.flatMap(({ consent, payers }) =>
    payers.filter((payer) => asked.includes(payer) || asked.includes(unknown)).map((payer) => ({ consent, payer })),
  );
  const since = await Promise.all(meant.map(({ consent }) => givenAt(context, consent)));
  const made = dateInterval((resource as unknown as fhir4.Claim).created)?.end ?? now;
  return meant.flatMap(({ payer }, at) => (made > (since[at] ?? 0) ? [payer] : []));
};

/** When the patient gave a Consent, if it says so. One that says a time to come was given by now. */
const givenAt = async ({ store, now }: Context, consent: Address): Promise<number | undefined> => {
  const stored = await store.read(consent);
  const { dateTime } = (stored?.resource ?? {}) as Partial<fhir4.Consent>;
  const given = dateTime === undefined ? undefined : dateInterval(dateTime)?.start;
  return given !== undefined && given <= now ? given : undefined;
};

const unknown = '?';

/** References to who is asked to pay: the insurer, and who pays by each of the coverages. */
const payersOf = async (
  context: Context,
  claim: fhir4.Claim,
  plans: readonly PlannedWrite[],
): Promise<readonly string[]> => {
  const { insurer, insurance, contained = [] } = claim;
  const byCoverage = await Promise.all(
    insurance.map(async ({ coverage: { reference = '' } }) => {
      const within = contained.find(({ id }) => reference === `#${id}`);
      const coverage = within ?? (await recordNamed(context, reference, plans));
      if (coverage?.resourceType !== 'Coverage') return [unknown];
      return (coverage as fhir4.Coverage).payor.map((payor) => nameOf(context, payor));
    }),
  );
  const named = [...(insurer ? [nameOf(context, insurer)] : []), ...byCoverage.flat()];
  return named.length > 0 ? named : [unknown];
};

const nameOf = ({ request }: Context, { reference = '' }: fhir4.Reference): string => {
  const parsed = parseReference(reference, request.baseUrl);
  return parsed.kind === 'record' ? `${parsed.type}/${parsed.id}` : unknown;
};

const recordNamed = async (
  context: Context,
  reference: string,
  plans: readonly PlannedWrite[],
): Promise<Resource | fhir4.FhirResource | undefined> => {
  const parsed = parseReference(reference, context.request.baseUrl);
  if (parsed.kind !== 'record' || parsed.type !== 'Coverage') return undefined;
  const planned = plans.find(({ next }) => next.type === parsed.type && next.id === parsed.id);
  if (planned) return planned.next.resource;
  const address = await locate(context, parsed.type, parsed.id);
  return address && (await context.store.read(address))?.resource;
};

const refused = () =>
  new RecordError(
    'business-rule',
    'The patient has paid for this and has restricted what this insurer is told; the restriction is in a Consent that your organisation keeps',
    { reason: 'payer-restricted', expression: 'Claim.insurer' },
  );
