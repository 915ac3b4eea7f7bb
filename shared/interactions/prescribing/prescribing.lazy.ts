// An order is signed once, and read and searched many times.
import type { Interaction } from '../context.ts';
import { lookAgain } from '../look-again.ts';
import { changeLabels } from '../meta.ts';
import { planOrderDenied } from './deny-order.ts';
import { planOrderRenewed } from './renew-order.ts';
import { planOrderSigned } from './sign-order.ts';

export { takeOrder } from './take-order.ts';
export const sign: Interaction = (...asked) => lookAgain(() => changeLabels(planOrderSigned)(...asked));
export const renew: Interaction = (...asked) => lookAgain(() => changeLabels(planOrderRenewed)(...asked));
export const deny: Interaction = changeLabels(planOrderDenied);
