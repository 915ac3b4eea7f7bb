// Operations on records of every type. Most processes are asked for none.
export { changeLabels, labelsOfRecord, planLabelsAdded, planLabelsDeleted } from './meta.ts';
export { validateRecord } from './validate.ts';
export { withholding } from './withholding.ts';
