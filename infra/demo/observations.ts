import { dateTime, hourMs, minuteMs, yearMs } from './calendar.ts';
import type { Chart, ChartParty, Visit } from './chart.ts';
import { named } from './chart.ts';
import { hl7, loinc, quantity, snomed } from './concepts.ts';
import { type ChronicIllness, diabetes, hyperlipidemia, hypertension, hypothyroidism } from './illnesses.ts';
import {
  type Analyte,
  glucose,
  hemoglobinA1c,
  ldlCholesterol,
  type PanelName,
  panels,
  thyrotropin,
} from './laboratory.ts';
import { ageAt, bodyAt } from './life.ts';

/** When each illness was found: what is measured shows it from its onset, and shows from then on that it is treated. */
export type FoundIllnesses = ReadonlyMap<ChronicIllness, number>;

/** How far an untreated illness moves an analyte, in its unit. */
const shifts: ReadonlyMap<Analyte, { readonly illness: ChronicIllness; readonly by: number }> = new Map([
  [glucose, { illness: diabetes, by: 62 }],
  [hemoglobinA1c, { illness: diabetes, by: 2.8 }],
  [ldlCholesterol, { illness: hyperlipidemia, by: 62 }],
  [thyrotropin, { illness: hypothyroidism, by: 5 }],
]);

/** Which part of an illness's effect is left after so many years of treatment. */
const leftAfter = (years: number): number => Math.max(0.25, 1 - years * 0.5);

const codeOf = ({ concept }: Analyte): string => concept.coding?.[0]?.code ?? '';

/** From the taking of blood to the report. */
const reportedAfterMs = 4 * hourMs;

const rounded = (value: number, decimals: number): number => Number(value.toFixed(decimals));

/**
 * Makes the measurements of one chart. Each analyte has a level of this person, which drifts slowly, with the noise of the day.
 *
 * @param found - filled as the history goes on.
 */
export const observer = (chart: Chart, found: FoundIllnesses) => {
  const { random, life } = chart;
  const levels = new Map<string, { readonly level: number; readonly slope: number }>();

  /** In shares of the reference range: 0.5 is its middle. */
  const position = (code: string, instant: number): number => {
    const known = levels.get(code) ?? { level: random.normal(0.5, 0.16), slope: random.normal(0, 0.008) };
    levels.set(code, known);
    const years = (instant - life.end) / yearMs;
    return known.level + known.slope * years + random.normal(0, 0.07);
  };

  const effect = (illness: ChronicIllness, instant: number): number => {
    const onset = life.illnesses.find((one) => one.illness === illness)?.onsetAge ?? Number.POSITIVE_INFINITY;
    if (ageAt(life, instant) < onset) return 0;
    const since = found.get(illness);
    return since === undefined ? 1 : leftAfter((instant - since) / yearMs);
  };

  const common = (
    visit: Visit,
    at: number,
    category: string,
    display: string,
    performer: ChartParty,
    issued = at + minuteMs,
  ): Omit<fhir4.Observation, 'code'> => ({
    resourceType: 'Observation',
    status: 'final',
    category: [hl7('observation-category', category, display)],
    subject: named(chart.subject),
    encounter: visit.encounter,
    effectiveDateTime: dateTime(at),
    issued: dateTime(issued),
    performer: [named(performer)],
  });

  const vital = (visit: Visit, concept: fhir4.CodeableConcept, value: fhir4.Quantity): string =>
    chart.add({
      ...common(visit, visit.start + 3 * minuteMs, 'vital-signs', 'Vital Signs', chart.staff.nurse),
      code: concept,
      valueQuantity: value,
    });

  const bloodPressure = (visit: Visit): void => {
    const ill = effect(hypertension, visit.start);
    const age = Math.min(80, ageAt(life, visit.start));
    const usual = age < 18 ? [82 + age * 1.1, 46 + age * 0.8] : [96 + age * 0.3, 58 + age * 0.12];
    const systolic = (usual[0] ?? 0) + position('8480-6', visit.start) * 24 + ill * 22;
    const diastolic = (usual[1] ?? 0) + position('8462-4', visit.start) * 18 + ill * 12;
    chart.add({
      ...common(visit, visit.start + 3 * minuteMs, 'vital-signs', 'Vital Signs', chart.staff.nurse),
      code: loinc('85354-9', 'Blood pressure panel with all children optional'),
      component: [
        { code: loinc('8480-6', 'Systolic blood pressure'), valueQuantity: quantity(Math.round(systolic), 'mm[Hg]') },
        { code: loinc('8462-4', 'Diastolic blood pressure'), valueQuantity: quantity(Math.round(diastolic), 'mm[Hg]') },
      ],
    });
  };

  const pulse = (visit: Visit, age: number): void => {
    const resting = 118 - Math.min(age, 18) * 2.6;
    vital(
      visit,
      loinc('8867-4', 'Heart rate'),
      quantity(Math.round(resting - 6 + position('8867-4', visit.start) * 12), '/min'),
    );
    vital(
      visit,
      loinc('9279-1', 'Respiratory rate'),
      quantity(Math.round((age < 6 ? 22 : 13) + random.between(0, 4)), '/min'),
    );
  };

  return {
    /** What is measured at every check-up. */
    checkUp: (visit: Visit): void => {
      const body = bodyAt(life, visit.start);
      const height = rounded(body.height, 1);
      const weight = rounded(body.weight * random.normal(1, 0.012), 1);
      const age = ageAt(life, visit.start);
      vital(visit, loinc('8302-2', 'Body height'), quantity(height, 'cm'));
      vital(visit, loinc('29463-7', 'Body weight'), quantity(weight, 'kg'));
      if (age >= 2) {
        const index = rounded(weight / (height / 100) ** 2, 1);
        vital(visit, loinc('39156-5', 'Body mass index (BMI) [Ratio]'), quantity(index, 'kg/m2'));
      }
      if (age >= 3) bloodPressure(visit);
      if (random.chance(0.35)) pulse(visit, age);
      if (age >= 4) {
        chart.add({
          ...common(visit, visit.start + 4 * minuteMs, 'survey', 'Survey', chart.staff.nurse),
          code: loinc('72514-3', 'Pain severity - 0-10 verbal numeric rating [Score] - Reported'),
          valueQuantity: quantity(random.whole(0, 4), '{score}'),
        });
      }
      if (age >= 18) {
        chart.add({
          ...common(visit, visit.start + 4 * minuteMs, 'social-history', 'Social History', chart.staff.nurse),
          code: loinc('72166-2', 'Tobacco smoking status'),
          valueCodeableConcept:
            life.smoking === 'never' ? snomed('266919005', 'Never smoked tobacco') : snomed('8517006', 'Ex-smoker'),
        });
      }
    },

    bloodPressure,

    temperature: (visit: Visit, feverish: boolean): void => {
      const value = rounded(random.normal(feverish ? 38.4 : 36.8, feverish ? 0.4 : 0.15), 1);
      vital(visit, loinc('8310-5', 'Body temperature'), quantity(value, 'Cel'));
    },

    /**
     * Orders laboratory work and takes blood. The laboratory reports the results some hours later; if that is not over yet, there is
     * only the order.
     *
     * @param reason - the condition because of which it is done, if there is one.
     */
    panel: (visit: Visit, name: PanelName, reason?: string): void => {
      const { concept, analytes } = panels[name];
      const taken = visit.start + 8 * minuteMs;
      const reported = taken + reportedAfterMs;
      const isReported = reported <= life.end;
      const order = chart.add({
        resourceType: 'ServiceRequest',
        status: isReported ? 'completed' : 'active',
        intent: 'order',
        category: [snomed('108252007', 'Laboratory procedure')],
        code: concept,
        subject: named(chart.subject),
        encounter: visit.encounter,
        authoredOn: dateTime(visit.start),
        requester: named(chart.staff.physician),
        performer: [named(chart.staff.laboratory)],
        ...(reason === undefined ? {} : { reasonReference: [{ reference: reason }] }),
      });
      if (!isReported) return;
      const values = new Map<string, number>();
      const valueOf = (code: string) => values.get(code) ?? Number.NaN;
      const measured = (analyte: Analyte) => {
        const { low, high } = analyte;
        const shift = shifts.get(analyte);
        const shifted = shift === undefined ? 0 : shift.by * effect(shift.illness, visit.start);
        return Math.max(low * 0.6, low + position(codeOf(analyte), taken) * (high - low) + shifted);
      };
      for (const analyte of [...analytes].sort((a, b) => Number(a.from !== undefined) - Number(b.from !== undefined))) {
        values.set(codeOf(analyte), rounded(analyte.from?.(valueOf) ?? measured(analyte), analyte.decimals));
      }
      const result = analytes.map((analyte): fhir4.Reference => {
        const { low, high, unit } = analyte;
        const value = valueOf(codeOf(analyte));
        const flag = value < low ? ['L', 'Low'] : value > high ? ['H', 'High'] : ['N', 'Normal'];
        const reference = chart.add({
          ...common(visit, taken, 'laboratory', 'Laboratory', chart.staff.laboratory, reported),
          code: analyte.concept,
          valueQuantity: quantity(value, unit),
          interpretation: [hl7('v3-ObservationInterpretation', flag[0] ?? 'N', flag[1])],
          referenceRange: [{ low: quantity(low, unit), high: quantity(high, unit) }],
        });
        return { reference, display: analyte.concept.text ?? '' };
      });
      chart.add({
        resourceType: 'DiagnosticReport',
        basedOn: [{ reference: order }],
        status: 'final',
        category: [hl7('v2-0074', 'LAB', 'Laboratory')],
        code: concept,
        subject: named(chart.subject),
        encounter: visit.encounter,
        effectiveDateTime: dateTime(taken),
        issued: dateTime(reported),
        performer: [named(chart.staff.laboratory)],
        result,
        conclusion: 'Results as listed, with their reference ranges. Reviewed by the ordering physician.',
      });
    },
  };
};
