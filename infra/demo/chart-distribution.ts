import type { Random } from './random.ts';

/**
 * What generated charts look like as a population, after sample charts with the whole of a primary care history. Bytes are those of a
 * resource as JSON without blanks.
 */
export const chartDistribution = {
  /** Resources a chart. */
  resources: { min: 90, median: 224, max: 670 },
  /** Mean over all resources. */
  bytesAResource: 1_400,
  /** Share of all resources, in percent, and by how many percent of itself it may differ in 200 charts. */
  shares: {
    Observation: { percent: 47, within: 10 },
    Claim: { percent: 11, within: 10 },
    Encounter: { percent: 8.4, within: 15 },
    ExplanationOfBenefit: { percent: 8.4, within: 15 },
    Procedure: { percent: 5.8, within: 20 },
    DiagnosticReport: { percent: 4.8, within: 20 },
    Immunization: { percent: 4, within: 20 },
    Condition: { percent: 3, within: 20 },
    MedicationRequest: { percent: 2.6, within: 20 },
    DocumentReference: { percent: 1.2, within: 30 },
    CarePlan: { percent: 0.9, within: 30 },
    Goal: { percent: 0.5, within: 40 },
  },
} as const;

/** Resources that one visit leaves behind, on the mean. */
const resourcesAVisit = 12.3;

/** Deviation of the natural logarithm of the number of resources. */
const spread = 0.46;

/** How many visits a chart has. The numbers of resources are distributed log-normally around the median. */
export const drawVisitCount = (random: Random, scale: number): number => {
  const { min, median, max } = chartDistribution.resources;
  const resources = Math.max(min * 1.15, Math.min(max * 0.9, median * Math.exp(random.normal(0, spread))));
  return Math.max(1, Math.round((resources * scale) / resourcesAVisit));
};
