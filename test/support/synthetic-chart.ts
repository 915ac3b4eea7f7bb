export { chartDistribution } from '../../infra/demo/chart-distribution.ts';
export { type SyntheticChartOptions, syntheticChart } from '../../infra/demo/synthetic-chart.ts';
