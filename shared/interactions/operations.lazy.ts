// Operations on records of every type. Most processes are asked for none.
import type { Again } from '../http/routes.ts';
import { changedLabelsAgain } from './meta.ts';
import { withheldAgain } from './withholding.ts';

export { changeLabels, labelsOfRecord, planLabelsAdded, planLabelsDeleted } from './meta.ts';
export { validateRecord } from './validate.ts';
export { withholding } from './withholding.ts';

/** The answer of one of them that writes, sent again. */
export const again: Again = (context, { id }, kept) =>
  context.request.path.at(-1)?.startsWith('$meta')
    ? changedLabelsAgain(context, id, kept)
    : withheldAgain(context, id, kept);
