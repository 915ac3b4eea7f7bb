import type { Resource } from '../fhir/resource.ts';
import { type Units, ucum } from '../search/units.ts';
import { valueIn } from './in-unit.ts';
import { observedAt, toldTime } from './observed-at.ts';

/** `system|code`, `|code` for a code without a system, or a code of any system. */
export type CodeToken = string;

/** A value of a code, and what can be said of it beside the others. */
export interface SeriesPoint<R> {
  readonly record: R;
  /** As the record tells it; undefined for what has no time, which comes first. */
  readonly time: string | undefined;
  readonly status: fhir4.Observation['status'];
  /** Another value stood there before. */
  readonly corrected: boolean;
  /** In the unit of the series. */
  readonly value?: fhir4.Quantity;
  /** Why there is none in it. */
  readonly because?: 'no-number' | 'other-unit';
  /** Its element and what it says, such as `valueQuantity`, as it was told. */
  readonly original: readonly [element: string, value: unknown];
  readonly interpretation: readonly fhir4.CodeableConcept[];
}

export interface Series<R> {
  /** Of the values; undefined where no number was found. */
  readonly unit: fhir4.Quantity | undefined;
  /** The oldest first. */
  readonly points: readonly SeriesPoint<R>[];
}

/** States of an Observation that say nothing of the patient. https://hl7.org/fhir/R4/valueset-observation-status.html */
export const withdrawnStates: ReadonlySet<string> = new Set(['entered-in-error', 'cancelled']);

type Part = Pick<fhir4.ObservationComponent, 'code' | 'interpretation'> & object;

const hasToken = ({ coding = [] }: fhir4.CodeableConcept = {}, tokens: readonly CodeToken[]): boolean =>
  coding.some(({ system = '', code = '' }) => tokens.includes(code) || tokens.includes(`${system}|${code}`));

/** What of an observation has one of the codes and a value: the whole, or a component. */
const measuredIn = (observation: fhir4.Observation, tokens: readonly CodeToken[]) => {
  for (const part of [observation, ...(observation.component ?? [])] as readonly Part[]) {
    const original = Object.entries(part).find(([element]) => /^value[A-Z]/.test(element));
    if (original && hasToken(part.code, tokens)) return { original, interpretation: part.interpretation ?? [] };
  }
  return undefined;
};

/**
 * All values of a code, the oldest first, in one unit: what was withdrawn is left out, and what does not convert says so and keeps what was told. Pure.
 *
 * @param asked - code of UCUM; the unit of the newest number if undefined.
 */
export const seriesOf = <R>(
  observations: readonly { readonly observation: fhir4.Observation; readonly updated: number; readonly record: R }[],
  { codes, asked }: { readonly codes: readonly CodeToken[]; readonly asked: string | undefined },
  units: Units,
): Series<R> => {
  const measured = observations
    .filter(({ observation: { status } }) => !withdrawnStates.has(status))
    .flatMap((each) => {
      const found = measuredIn(each.observation, codes);
      return found ? [{ ...each, ...found, at: observedAt(each.observation) }] : [];
    })
    .sort((a, b) => (a.at === b.at ? a.updated - b.updated : a.at - b.at));
  const newest = measured.findLast(({ original }) => numberIn(original))?.original;
  const unit = asked === undefined ? newest && numberIn(newest) : { system: ucum, code: asked };
  const points = measured.map(({ observation, record, original, interpretation }): SeriesPoint<R> => {
    const { status } = observation;
    const quantity = numberIn(original);
    const value = unit && quantity && valueIn(unit, quantity, observation as unknown as Resource, units);
    return {
      record,
      time: toldTime(observation),
      status,
      corrected: status === 'amended' || status === 'corrected',
      original,
      interpretation,
      ...(value === undefined || !unit
        ? { because: quantity ? 'other-unit' : 'no-number' }
        : { value: quantityOf(value, unit, quantity?.comparator) }),
    };
  });
  return { unit, points };
};

/** What of a value is a number with a unit; of an integer, without one. */
const numberIn = ([element, value]: readonly [string, unknown]): fhir4.Quantity | undefined => {
  if (element === 'valueInteger') return { value: value as number };
  const quantity = value as fhir4.Quantity;
  return element === 'valueQuantity' && quantity.value !== undefined ? quantity : undefined;
};

const quantityOf = (
  value: number,
  { unit, system, code }: fhir4.Quantity,
  comparator: fhir4.Quantity['comparator'],
): fhir4.Quantity => ({
  value,
  ...(comparator === undefined ? {} : { comparator }),
  ...(unit === undefined ? {} : { unit }),
  ...(system === undefined ? {} : { system }),
  ...(code === undefined ? {} : { code }),
});
