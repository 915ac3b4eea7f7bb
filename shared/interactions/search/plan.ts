import { RecordError } from '../../errors.ts';
import type { SearchParameter } from '../../fhir/search-parameter.ts';
import { headsOwnChart, typesOfPatients } from '../../record-types/homes.ts';
import { longestUsual } from '../../record-types/registries.ts';
import { dateInterval } from '../../search/date-range.ts';
import { criteriaOf } from '../../search/joins.ts';
import type { Condition, Criterion } from '../../search/search-query.ts';
import { beginsWithin } from '../../search/time-bounds.ts';
import type { Plan, RegistryRange } from '../../store/candidates/plan.ts';
import { timeKey } from '../../store/ids.ts';
import {
  anyValue,
  containedKey,
  identifierPartition,
  indexOwner,
  keptText,
  keyText,
  nameLetters,
  partitionFor,
} from '../../store/index-rows.ts';
import { type Address, lastOf } from '../../store/keys.ts';
import { chartsOf, chartsReferredTo, locate, locateAll } from '../locate.ts';
import type { SearchContext } from './run.ts';

/** A search's plan, and whether it reads only rows that were filed for it. */
export interface SearchPlan {
  readonly plan: Plan;
  /** False if it walks through everything the organisation has. */
  readonly indexed: boolean;
  /** The charts that the request itself names, so that their trace can be written beside the search. */
  readonly charts: readonly string[];
  /** The plan already selects what the criteria ask for, so a page needs no more rows than it shows. */
  readonly exact: boolean;
  /** The condition that leads there, by its name as sent; undefined if none does. */
  readonly narrowedBy?: string | undefined;
}

/** Each patient or registry row that a search names is a Query of its own. */
export const mostQueries = 50;

/** An instant is given to the second at least. */
const longestInstant = 1_000;

/** Parameters that name the patient whose chart is a record's home. */
export const homeParameters: ReadonlySet<string> = new Set(['patient', 'subject']);

/** How far a plan may go. */
interface PlanOptions {
  /** Patients or registry rows that it may name. */
  readonly most?: number;
  /** Whether references to what stands within a record are wanted too, since a chain leads there. */
  readonly inward?: boolean;
}

/**
 * Chooses how to find a search's candidates: by id, by chart, by identifier, by registry row, else by a walk. Every plan finds all
 * records that the conditions may match; which of them do is decided on the records themselves. docs/store.md tells the costs.
 */
export const planSearch = async (
  context: SearchContext,
  conditions: readonly Condition[],
  { most = mostQueries, inward = false }: PlanOptions = {},
): Promise<SearchPlan> => {
  const options = { most, inward };
  const criteria = criteriaOf(conditions);
  const own = await ownChart(context, criteria);
  return (
    (await byId(context, criteria)) ??
    (await byChart(context, conditions, options)) ??
    own ??
    (inward ? undefined : await byReference(context, conditions)) ??
    byIndex(context, criteria, options)
  );
};

const byId = async (context: SearchContext, criteria: readonly Criterion[]): Promise<SearchPlan | undefined> => {
  const criterion = criteria.find(namesRecords);
  if (!criterion) return undefined;
  const addresses = await addressesNamed(context, criterion);
  const charts = context.recordType.directory ? [] : [...new Set(addresses.map(({ chart }) => chart))];
  return { plan: { kind: 'records', addresses }, indexed: true, charts, exact: false, narrowedBy: criterion.name };
};

const namesRecords = ({ parameter, modifier }: Criterion): boolean =>
  parameter.code === '_id' && modifier === undefined;

const addressesNamed = async (context: SearchContext, { values }: Criterion): Promise<Address[]> => {
  const ids = values.flatMap((value) => (value.type === 'token' && value.code !== undefined ? [value.code] : []));
  return locateAll(context, context.recordType.name, ids);
};

const chartsNamed = async (context: SearchContext, criterion: Criterion): Promise<string[]> =>
  (await addressesNamed(context, criterion)).map(({ chart }) => chart);

const byChart = async (
  context: SearchContext,
  conditions: readonly Condition[],
  { most, inward }: Required<PlanOptions>,
): Promise<SearchPlan | undefined> => {
  if (!typesOfPatients.has(context.recordType.name)) return undefined;
  const criteria = criteriaOf(conditions);
  for (const { name, parameter, modifier, values } of criteria) {
    if (!homeParameters.has(parameter.code) || (modifier !== undefined && modifier !== 'Patient')) continue;
    const bareMeansPatient = parameter.code === 'patient' || modifier === 'Patient';
    const ids = await Promise.all(
      values.map(async (value) => {
        if (value.type !== 'reference' || value.id === undefined) return undefined;
        const { id, resourceType } = value;
        if (resourceType !== undefined) return resourceType === 'Patient' ? id : undefined;
        return bareMeansPatient || (await isPatient(context, id)) ? id : undefined;
      }),
    );
    if (ids.some((id) => id === undefined)) continue;
    if (new Set(ids).size > most) {
      throw new RecordError('too-costly', `A search may name ${most} patients`, { expression: parameter.code });
    }
    const found = await locateAll(
      context,
      'Patient',
      ids.map((id) => id ?? ''),
    );
    const charts = found.map(({ chart }) => chart);
    const telling = criteria.filter((each) => each.name === name || isBound(context, each));
    const exact = charts.length === 1 && telling.length === conditions.length;
    const plan = { ...inCharts(context, charts, criteria, { exact }), narrowedBy: name };
    return inward ? withWhatIsInNoChart(context, plan) : plan;
  }
  return undefined;
};

/** Whether an id of ours is a patient's: `subject` alone does not say. */
const isPatient = async ({ store }: SearchContext, id: string): Promise<boolean> => {
  const decoded = store.ids.decode(id);
  return decoded?.place === '' && (await store.read({ ...decoded, type: 'Patient' })) !== undefined;
};

/** A record whose patient stands within it, and nowhere else, is in no patient's chart. */
const withWhatIsInNoChart = ({ asking, recordType }: SearchContext, search: SearchPlan): SearchPlan => ({
  ...search,
  exact: false,
  plan: {
    kind: 'several',
    plans: [search.plan, { kind: 'listed', owner: indexOwner(recordType, asking.caller.organization ?? '') }],
  },
});

/** Whatever a patient searches for among records of patients is in the patient's own chart. */
const ownChart = async (context: SearchContext, criteria: readonly Criterion[]): Promise<SearchPlan | undefined> => {
  const { asking, recordType } = context;
  if (asking.caller.organization !== undefined || recordType.directory) return undefined;
  const chart = asking.chart;
  const ofPatients = recordType.name === 'Patient' || typesOfPatients.has(recordType.name);
  return inCharts(context, chart === undefined || !ofPatients ? [] : [chart], criteria);
};

/**
 * What refers to a patient, or to a record that may belong to one, stands in its chart: as a record of the patient, or as a mention. So
 * any reference that a search names leads to a chart. An id of ours says where, whatever its type, unless it heads its chart.
 */
const byReference = async (
  context: SearchContext,
  conditions: readonly Condition[],
): Promise<SearchPlan | undefined> => {
  for (const condition of conditions) {
    const alternatives = alternativesIn(condition);
    const meant = await Promise.all(
      alternatives.map(async (criterion) => {
        if (namesRecords(criterion)) return [await chartsNamed(context, criterion)];
        return selectsReferences(context.recordType.name, criterion.parameter) && criterion.values.length <= mostQueries
          ? Promise.all(criterion.values.map((value) => chartsMeant(context, criterion, value)))
          : [undefined];
      }),
    );
    const charts = meant.flat();
    if (alternatives.length === 0 || !charts.every((chart) => chart !== undefined)) continue;
    const named = new Set(charts.flat());
    if (named.size > mostQueries) continue;
    const names = new Set(alternatives.map(({ name }) => name));
    const plan = inCharts(context, [...named], criteriaOf(conditions), { mentions: true });
    return { ...plan, narrowedBy: [...names].join(' or ') };
  }
  return undefined;
};

/** The criteria of which a condition wants any to be met; none if it is not made of such. */
const alternativesIn = (condition: Condition): readonly Criterion[] => {
  if (condition.kind === 'criterion') return [condition];
  const criteria = condition.kind === 'any' ? criteriaOf(condition.conditions) : [];
  return condition.kind === 'any' && criteria.length === condition.conditions.length ? criteria : [];
};

/**
 * Whether a parameter selects references, all of which are checked and mentioned when a record is written, to what may belong to a
 * patient. Canonical addresses, which some parameters select, are not. A test compares this with the definitions.
 */
export const selectsReferences = (recordType: string, { type, targets, code }: SearchParameter): boolean =>
  type === 'reference' &&
  (targets?.some((target) => !headsOwnChart(target)) ??
    (typesOfPatients.has(recordType) && code !== 'instantiates-canonical'));

/** The chart in which all stands that refers to what a value names, none if nothing can; undefined if the value does not tell. */
const chartsMeant = async (
  context: SearchContext,
  { parameter: { targets }, modifier }: Criterion,
  value: Criterion['values'][number],
): Promise<string[] | undefined> => {
  if (value.type !== 'reference' || value.id === undefined) return undefined;
  const { id, resourceType } = value;
  if (modifier !== undefined && modifier !== resourceType) return undefined;
  if (resourceType !== undefined && targets && !targets.includes(resourceType)) return undefined;
  const decoded = context.store.ids.decode(id);
  if (decoded && decoded.place !== '') return [decoded.chart];
  if (resourceType === undefined || headsOwnChart(resourceType)) return undefined;
  const address = await locate(context, resourceType, id);
  return address ? [address.chart] : [];
};

interface InCharts {
  readonly exact?: boolean;
  readonly mentions?: boolean;
}

/** Between which sort keys of a chart stands all that a search asks of a type's date; undefined if it asks nothing, or the type is not bounded. */
const sortKeysBetween = (
  { recordType: { name, boundedBy } }: SearchContext,
  criteria: readonly Criterion[],
): readonly [string, string] | undefined => {
  const { start, end } = beginsWithin(criteria, boundedBy ?? '', longestUsual);
  if (start === Number.NEGATIVE_INFINITY && end === Number.POSITIVE_INFINITY) return undefined;
  const to = end === Number.POSITIVE_INFINITY ? lastOf(name, 'records') : `${name}#${timeKey(Math.max(start, end))}~`;
  return [`${name}#${timeKey(start)}`, to];
};

/** Whether a criterion bounds what is read of a chart, so that most of that meets it. */
const isBound = ({ recordType: { boundedBy } }: SearchContext, { parameter, modifier }: Criterion): boolean =>
  parameter.code === boundedBy && modifier === undefined;

/**
 * How to find what refers to records of charts: all of it stands there, as a record of theirs or as a mention.
 *
 * @param parameters - by which it refers to them.
 * @param conditions - that it meets besides.
 * @returns undefined if one of these does not lead to what mentions tell of.
 */
export const referringInCharts = (
  context: SearchContext,
  charts: readonly string[],
  parameters: readonly SearchParameter[],
  conditions: readonly Condition[] = [],
): Plan | undefined =>
  parameters.every((parameter) => selectsReferences(context.recordType.name, parameter))
    ? inCharts(context, charts, criteriaOf(conditions), { mentions: true }).plan
    : undefined;

/** Reads these charts, or nothing if there are none. */
const inCharts = (
  context: SearchContext,
  named: readonly string[],
  criteria: readonly Criterion[],
  { exact = false, mentions = false }: InCharts = {},
): SearchPlan => {
  const { recordType } = context;
  const between = sortKeysBetween(context, criteria);
  const charts = [...new Set(named)];
  const plan: Plan = {
    kind: 'charts',
    charts,
    mentions,
    ...(between ? { between } : {}),
    chartsOf: async ({ chart, resource }, mentioned) => {
      if (!resource) return [];
      const patients = await chartsOf(context, recordType.patientsOf(resource));
      return mentioned ? [chart, ...patients, ...(await chartsReferredTo(context, resource))] : patients;
    },
  };
  return { plan, indexed: true, charts, exact };
};

const byIndex = (
  context: SearchContext,
  criteria: readonly Criterion[],
  options: Required<PlanOptions>,
): SearchPlan => {
  const { asking, recordType } = context;
  const owner = indexOwner(recordType, asking.caller.organization ?? '');
  const found = byIdentifier(context, criteria) ?? byRegistry(context, criteria, owner, options);
  const walk: Led = { plan: { kind: 'walk', owner } };
  return { ...(found ?? walk), indexed: found !== undefined, charts: [], exact: false };
};

type Led = Pick<SearchPlan, 'plan' | 'narrowedBy'>;

const byIdentifier = (context: SearchContext, criteria: readonly Criterion[]): Led | undefined => {
  const { store, recordType, asking } = context;
  const criterion = criteria.find(
    ({ parameter, modifier }) => parameter.code === 'identifier' && modifier === undefined,
  );
  const tokens = criterion?.values.flatMap((value) => (value.type === 'token' ? [value] : [])) ?? [];
  if (
    tokens.length === 0 ||
    tokens.length > mostQueries ||
    recordType.registry.some(({ parameter }) => parameter === 'identifier')
  )
    return undefined;
  if (tokens.some(({ system, code }) => system === undefined || code === undefined)) return undefined;
  const organization = asking.caller.organization ?? '';
  const plan: Plan = {
    kind: 'bearers',
    partitions: tokens.map(({ system, code }) =>
      identifierPartition(store, recordType, organization, system ?? '', code ?? ''),
    ),
    locate: (id) => locate(context, recordType.name, id),
  };
  return { plan, narrowedBy: criterion?.name };
};

const byRegistry = (
  context: SearchContext,
  criteria: readonly Criterion[],
  owner: string,
  { most, inward }: Required<PlanOptions>,
): Led | undefined => {
  const { recordType, store } = context;
  const indexed = criteria.flatMap((criterion) => {
    const { code } = criterion.parameter;
    const index = recordType.registry.find(({ parameter, serves }) => parameter === code || serves.includes(code));
    return index ? [{ criterion, index, byTime: index.order === code }] : [];
  });
  // In a time there is more than an actor has of it.
  for (const { criterion, index, byTime } of indexed.sort((a, b) => Number(a.byTime) - Number(b.byTime))) {
    const kind = recordType.parameter(index.parameter)?.type ?? 'token';
    const { start, end } = beginsWithin(criteria, index.order ?? '', longestInstant);
    const bounded = start > Number.NEGATIVE_INFINITY || end < Number.POSITIVE_INFINITY;
    if (byTime && !bounded) continue;
    const texts = byTime ? [anyValue] : criterion.values.map((value) => filedText(criterion, value));
    if (texts.some((text) => text === undefined) || texts.flat().length > most) continue;
    const between = [timeKey(start), `${timeKey(Math.max(start, end))}~`] as const;
    const ranges = [...texts.flat(), ...(inward ? [containedKey] : [])].map((text = ''): RegistryRange => {
      const partition = partitionFor(
        store,
        owner,
        recordType.name,
        index.parameter,
        kind,
        kind === 'string' ? text : keyText(text),
      );
      return {
        partition,
        prefix: kind === 'string' ? keptText(text) : '',
        ...(bounded ? { between } : {}),
      };
    });
    return { plan: { kind: 'registry', ranges }, narrowedBy: criterion.name };
  }
  return undefined;
};

/** The texts under which records that match a value are filed; undefined where rows do not help with such a value. */
const filedText = ({ parameter, modifier }: Criterion, value: Criterion['values'][number]): string[] | undefined => {
  if (value.type === 'string' && (modifier === undefined || modifier === 'exact')) {
    return value.folded.length >= nameLetters ? [value.folded] : undefined;
  }
  if (modifier !== undefined && !(value.type === 'reference' && modifier === value.resourceType)) return undefined;
  if (value.type === 'token') return value.code === undefined || value.code === '' ? undefined : [value.code];
  if (value.type === 'uri') return [value.value];
  if (value.type === 'date') {
    const wholeDay =
      value.prefix === 'eq' && /^\d{4}-\d\d-\d\d$/.test(value.text) && dateInterval(value.text) !== undefined;
    return wholeDay ? [value.text] : undefined;
  }
  if (value.type === 'reference' && value.id !== undefined) {
    const types = value.resourceType === undefined ? parameter.targets : [value.resourceType];
    return types?.map((type) => `${type}/${value.id}`);
  }
  return undefined;
};
