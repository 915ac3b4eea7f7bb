import { greetings } from './greetings.data.ts';

/** What no function may do: it would hold the data in its code. */
export const greet = async () => greetings;
