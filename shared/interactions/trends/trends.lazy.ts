// How results have gone, asked for when somebody looks at them.
export { lastObservations } from './last-observations.ts';
export { series } from './series.ts';
