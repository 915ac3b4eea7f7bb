// An order is signed once, and read and searched many times.
import { changeLabels } from '../meta.ts';
import { planOrderSigned } from './sign-order.ts';

export const sign = changeLabels(planOrderSigned);
