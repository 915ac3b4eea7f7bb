import { RecordError } from '../errors.ts';
import { information } from '../fhir/operation-outcome.ts';
import { timeOf } from '../search/match/date.ts';
import { invalidParameter, unsupportedParameter } from '../search/refusal.ts';
import { isResultParameter } from '../search/result-parameters.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Interaction, RequestContext } from './context.ts';
import { readInput, searchPairs } from './operation-input.ts';
import { requireTypeAccess } from './require-access.ts';
import { matching } from './search/matching.ts';
import { openSearch } from './search/open.ts';
import { callsPerPage, tooCostly } from './search/run.ts';
import { traced } from './search/trace.ts';
import { entriesOf, entryOf, largestPageBytes, selfLink, weightOf } from './searchset.ts';

/** What it takes beside the parameters of a search. */
export const lastnInput = { max: { type: 'positiveInt' } } as const;

/** Observations that one request may group. */
const mostGrouped = 10_000;

type Pairs = readonly (readonly [string, string])[];

/**
 * `Observation/$lastn`: of one patient's observations that a search selects, the newest of each code. https://hl7.org/fhir/R4/observation-operation-lastn.html
 *
 * @throws RecordError `invalid` without a patient, or without a category or code; `too-costly` where too many match.
 */
export const lastObservations: Interaction = async (context) => {
  requireTypeAccess(context, 's');
  const { recordType } = context;
  const sent = searchPairs(context);
  const { max = 1 } = readInput(
    context,
    lastnInput,
    sent.filter(([name]) => name === 'max'),
  );
  const asked = sent.filter(([name]) => name !== 'max');
  requireSelection(context, asked);
  const searching = { ...context, request: { ...context.request, query: sent } };
  const { run, query, planned } = await openSearch(searching, asked, { strict: context.request.prefer.strict });
  const { plan } = await planned();
  const found = await traced(
    run,
    async () => {
      const all: StoredRecord[] = [];
      for await (const { record } of matching(run, recordType, { ...query, plan })) {
        if (!record) continue;
        run.hold(record, 'code');
        all.push(record);
        if (all.length > mostGrouped || run.calls > callsPerPage) throw tooCostly('code');
      }
      return newestOfEach(all, max);
    },
    { sent, shown: (shown) => shown.map((record) => [recordType, record] as const) },
  );
  if (found.reduce((sum, { resource }) => sum + weightOf(resource ?? {}), 0) > largestPageBytes) throw tooCostly('max');
  const warnings = query.warnings.map(({ parameter, message }) => ({
    message,
    expression: parameter,
    code: 'not-supported' as const,
  }));
  await context.view.prepare(found);
  const bundle: fhir4.Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    total: found.length,
    link: [selfLink(context, [...query.understood, ...sent.filter(([name]) => name === 'max')])],
    ...entriesOf([
      ...found.map((record) => entryOf(context, record)),
      ...(warnings.length === 0
        ? []
        : [{ resource: information('warning', warnings), search: { mode: 'outcome' as const } }]),
    ]),
  };
  return { statusCode: 200, resource: bundle };
};

/** Requires one patient, by name or because it is the patient who asks, and a category or code. What manages pages has no meaning here. */
const requireSelection = ({ asking }: RequestContext, asked: Pairs): void => {
  const managed = asked.find(
    ([name]) => isResultParameter(name.replace(/[:.].*$/s, '')) && !/^_(?:format|pretty)$/.test(name),
  );
  if (managed) throw unsupportedParameter(managed[0], '$lastn has an order and a length of its own');
  const patients = asked.filter(([name]) => /^(?:patient|subject)(?::Patient)?$/.test(name));
  if (patients.length === 0 && asking.caller.patient === undefined) {
    const [meant = 'patient'] = asked.map(([name]) => name).filter((name) => /^(?:patient|subject)\b/.test(name));
    throw invalidParameter(meant, '$lastn needs a patient');
  }
  const several = patients.find(([, value]) => value.includes(','));
  if (several) throw invalidParameter(several[0], '$lastn is of one patient');
  if (!asked.some(([name]) => /^category\b|(?:^|-)code\b/.test(name))) {
    throw new RecordError('invalid', '$lastn needs a category or a code', { expression: 'category' });
  }
};

/**
 * The newest of each group, and those that are as new as the last of them: groups by their newest member, each from its newest to its oldest.
 */
const newestOfEach = (records: readonly StoredRecord[], max: number): StoredRecord[] =>
  groupsOf(records)
    .map((group) => {
      const sorted = group.toSorted((a, b) => b.at - a.at || b.record.updated - a.record.updated);
      const last = sorted[max - 1];
      return last ? sorted.filter(({ at }, index) => index < max || at === last.at) : sorted;
    })
    .sort(([a], [b]) => (b?.at ?? 0) - (a?.at ?? 0))
    .flatMap((group) => group.map(({ record }) => record));

interface Timed {
  readonly record: StoredRecord;
  readonly at: number;
}

/** Observations whose codes are equal, or equal to the same third one: codings are translations of one another. */
const groupsOf = (records: readonly StoredRecord[]): Timed[][] => {
  const parents = new Map<string, string>();
  const rootOf = (key: string): string => {
    let root = key;
    for (let up = parents.get(root); up !== undefined && up !== root; up = parents.get(root)) root = up;
    parents.set(key, root);
    return root;
  };
  const keyed = records.map((record) => {
    const keys = keysOf(record.resource?.code as fhir4.CodeableConcept | undefined);
    const [first = ''] = keys;
    for (const key of keys) parents.set(rootOf(key), rootOf(first));
    return { first, record, at: timeIn(record) };
  });
  return [...Map.groupBy(keyed, ({ first }) => rootOf(first)).values()];
};

/** What makes codes equal: system and code of a coding; the text, to the letter, where there is no code. */
const keysOf = ({ coding = [], text }: fhir4.CodeableConcept = {}): string[] => {
  const codes = coding.flatMap(({ system, code }) => (code === undefined ? [] : [`c${system ?? ''}|${code}`]));
  return codes.length > 0 ? codes : [`t${text ?? coding[0]?.display ?? ''}`];
};

/** When it was observed: the end of a period; what does not tell is older than all that does. Milliseconds since 1970. */
const timeIn = ({ resource }: StoredRecord): number => {
  const { effectiveDateTime, effectiveInstant, effectivePeriod, issued } = (resource ?? {}) as fhir4.Observation &
    Record<string, unknown>;
  const point = effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.end ?? effectivePeriod?.start ?? issued;
  return timeOf({ type: 'dateTime', value: point })?.start ?? Number.NEGATIVE_INFINITY;
};
