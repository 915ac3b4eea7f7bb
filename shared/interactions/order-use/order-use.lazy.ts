// What was supplied of an order, asked for by who dispenses it.
export { dispensesOfOrder } from './dispenses-of-order.ts';
