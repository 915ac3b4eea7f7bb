// An order is signed once, and read and searched many times.
import type { Interaction } from '../context.ts';
import { lookAgain } from '../look-again.ts';
import { changeLabels } from '../meta.ts';
import { planOrderSigned } from './sign-order.ts';

export const sign: Interaction = (...asked) => lookAgain(() => changeLabels(planOrderSigned)(...asked));
