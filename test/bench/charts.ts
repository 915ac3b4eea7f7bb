import { syntheticChart } from '../support/synthetic-chart.ts';

/** From here on four charts are as long in the mean (240 resources) as sample charts (254): rows of the patient fall on as many. */
const firstSeed = 5;

/** Charts to load where no folder is named: always the same ones. */
export const madeCharts = (count: number): fhir4.Bundle[] =>
  Array.from({ length: count }, (_, index) => syntheticChart(firstSeed + index));
