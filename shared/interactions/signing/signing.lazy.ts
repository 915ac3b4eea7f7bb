// Notes and reports are signed once, and read a hundred times.
import { changeLabels } from '../meta.ts';
import { planRetracted } from './retract.ts';
import { planSigned } from './sign.ts';

export const sign = changeLabels(planSigned);
export const retract = changeLabels(planRetracted);
