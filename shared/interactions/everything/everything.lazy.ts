// `$everything` of a patient and of a visit, which applications ask for once, when they take a chart over, and the line of time of a chart.

export { everythingOfEncounter } from './of-encounter.ts';
export { everythingOfPatient } from './of-patient.ts';
export { timelineOfPatient } from './timeline.ts';
