import { parseReference, referencesIn } from '../fhir/references.ts';
import type { Resource } from '../fhir/resource.ts';
import { headsOwnChart } from '../record-types/homes.ts';
import type { Address } from '../store/keys.ts';
import type { RequestContext } from './context.ts';

/** https://hl7.org/fhir/R4/datatypes.html#id. What is no id leads nowhere; in a key it could stand for something else. */
const legalId = /^[A-Za-z0-9\-.]{1,64}$/;

/** Where the record of this type and id is or would be; undefined for an id that nobody ever used, or nobody may use. */
export const locate = async (
  { store, known, unseen }: Pick<RequestContext, 'store' | 'known' | 'unseen'>,
  type: string,
  id: string,
): Promise<Address | undefined> => {
  if (!legalId.test(id) || unseen?.(type, id)) return undefined;
  return known.get(`${type}/${id}`) ?? store.locate(type, id, headsOwnChart(type));
};

/** The same for several ids of one type, each once; those that lead nowhere are left out. */
export const locateAll = async (
  { store, known }: Pick<RequestContext, 'store' | 'known'>,
  type: string,
  ids: readonly string[],
): Promise<Address[]> => {
  const legal = [...new Set(ids)].filter((id) => legalId.test(id));
  const unknown = legal.filter((id) => !known.has(`${type}/${id}`));
  const found = await store.locateMany(type, unknown, headsOwnChart(type));
  const own = legal.map((id) => known.get(`${type}/${id}`));
  return [...own, ...found].filter((address) => address !== undefined);
};

/** What has to be known to find out where references lead. */
type Referring = Pick<RequestContext, 'store' | 'known' | 'unseen'> & {
  readonly request: Pick<RequestContext['request'], 'baseUrl'>;
};

/** The charts of the patients that references name, each once; foreign and unknown ones are left out. */
export const chartsOf = async (context: Referring, references: readonly string[]): Promise<string[]> => {
  const charts = await Promise.all(
    references.map(async (reference) => {
      const parsed = parseReference(reference, context.request.baseUrl);
      return parsed.kind === 'record' && parsed.type === 'Patient'
        ? (await locate(context, 'Patient', parsed.id))?.chart
        : undefined;
    }),
  );
  return [...new Set(charts.filter((chart) => chart !== undefined))];
};

/** The charts of the patients' records that a resource refers to, each once: of patients themselves and of what may belong to one. */
export const chartsReferredTo = async (context: Referring, resource: Resource): Promise<string[]> => {
  const addresses = await Promise.all(
    referencesIn(resource).map(async ({ reference }) => {
      const parsed = parseReference(reference, context.request.baseUrl);
      return parsed.kind === 'record' && !headsOwnChart(parsed.type)
        ? locate(context, parsed.type, parsed.id)
        : undefined;
    }),
  );
  return [...new Set(addresses.flatMap((address) => (address ? [address.chart] : [])))];
};
