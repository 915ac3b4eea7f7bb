import { syntheticChart } from '../support/synthetic-chart.ts';

/** Charts to load where no folder is named: always the same ones. */
export const madeCharts = (count: number): fhir4.Bundle[] =>
  Array.from({ length: count }, (_, seed) => syntheticChart(seed + 1));
