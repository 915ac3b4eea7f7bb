import type { AuditTrail } from '../../audit/audit-trail.ts';
import { withSpellingOf } from '../../fhir/json.ts';
import type { Resource } from '../../fhir/resource.ts';
import type { ValidationIssue } from '../../fhir/validation-issue.ts';
import { isWithdrawn } from '../../laboratory/critical.ts';
import { areForSome, computed, isComputed, type RangeFacts, sideIn } from '../../laboratory/interpretation.ts';
import { observedAt } from '../../laboratory/observed-at.ts';
import { rangeFactsOf } from '../../laboratory/range-facts.ts';
import { loadUnits, type Units, ucum } from '../../search/units.ts';
import type { Answered } from '../answered.ts';
import type { RequestContext } from '../context.ts';

type Part = Pick<fhir4.ObservationComponent, 'interpretation' | 'referenceRange' | 'valueQuantity'>;

/** That a unit is none of UCUM's. */
export const notUcum = {
  system: 'https://concord.example/fhir/CodeSystem/laboratory',
  code: 'unit-not-ucum',
  display: 'A unit is no code of UCUM',
} as const;

/**
 * An observation with what its laboratory's own ranges say of its values, where that has given no interpretation, and flagged if a unit is no code of UCUM. What a laboratory says is never changed, and nothing is refused. One
 * read of the patient, once a request, where a range is for some patients alone.
 */
export const interpreted = async (context: RequestContext, chart: string, resource: Resource): Promise<Answered> => {
  const observation = resource as unknown as fhir4.Observation;
  const parts: readonly Part[] = [observation, ...(observation.component ?? [])];
  const units = await loadUnits();
  const open = isWithdrawn(resource) ? [] : parts.filter(isOpen);
  const facts = open.some(({ referenceRange = [] }) => areForSome(referenceRange))
    ? rangeFactsOf(await patientOf(context, chart), timeOf(observation, context.now))
    : unknownFacts;
  const judged = <P extends Part>(part: P): P => {
    const side = open.includes(part)
      ? sideIn(part.referenceRange ?? [], part.valueQuantity, { facts, resource, units })
      : undefined;
    const had = part.interpretation?.some(isComputed) ?? false;
    if (!had && !side) return part;
    const { interpretation: before = [], ...rest } = part;
    const own = before.filter((each) => !isComputed(each));
    const interpretation = side ? [computed(side)] : own;
    return withSpellingOf({ ...rest, ...(interpretation.length > 0 ? { interpretation } : {}) } as P, part);
  };
  const component = observation.component?.map(judged);
  const isSame = component?.every((each, index) => each === observation.component?.[index]) ?? true;
  const whole = judged(observation);
  const said = isSame ? whole : withSpellingOf({ ...whole, ...(component ? { component } : {}) }, observation);
  const unknown = parts.filter((part) => !isOfUcum(part, units));
  return { resource: flagged(said as unknown as Resource, unknown.length > 0), notices: unknown.map(() => notice) };
};

const unknownFacts: RangeFacts = { sex: undefined, age: undefined };

/** Whether its laboratory has said nothing of a value, and what is normal. */
const isOpen = ({ interpretation = [], referenceRange = [], valueQuantity }: Part): boolean =>
  valueQuantity !== undefined && referenceRange.length > 0 && interpretation.every(isComputed);

const timeOf = (observation: fhir4.Observation, now: number): number => {
  const at = observedAt(observation);
  return Number.isFinite(at) ? at : now;
};

const isOfUcum = ({ valueQuantity }: Part, units: Units): boolean => {
  const { unit, system, code } = valueQuantity ?? {};
  if (unit === undefined && code === undefined) return true;
  return system === ucum && code !== undefined && units.isUnit(code);
};

const notice: ValidationIssue = {
  severity: 'warning',
  code: 'code-invalid',
  expression: 'Observation.value',
  message: 'The unit is no code of UCUM: the value is kept, and compared with values in the same unit alone',
};

/** A version with the flag if it earns one, and without it if not. */
const flagged = (resource: Resource, earned: boolean): Resource => {
  const { tag = [], ...meta } = resource.meta ?? {};
  const isFlag = ({ system, code }: fhir4.Coding) => system === notUcum.system && code === notUcum.code;
  if (tag.some(isFlag) === earned) return resource;
  const tags = [...tag.filter((each) => !isFlag(each)), ...(earned ? [notUcum] : [])];
  const copy = { ...resource, meta: { ...meta, ...(tags.length > 0 ? { tag: tags } : {}) } };
  return withSpellingOf(copy as Resource, resource);
};

/** Patients that a request has looked at: a report of twenty results asks for one. */
const known = new WeakMap<AuditTrail, Map<string, Promise<fhir4.Patient | undefined>>>();

const patientOf = async (context: RequestContext, chart: string): Promise<fhir4.Patient | undefined> => {
  const written = context.saying?.(`Patient/${chart}`);
  if (written) return written as unknown as fhir4.Patient;
  const read = known.get(context.audit) ?? new Map<string, Promise<fhir4.Patient | undefined>>();
  known.set(context.audit, read);
  const asked =
    read.get(chart) ??
    context.store.whole
      .read({ type: 'Patient', chart, place: '' })
      .then((record) => record?.resource as unknown as fhir4.Patient | undefined);
  read.set(chart, asked);
  return asked;
};
