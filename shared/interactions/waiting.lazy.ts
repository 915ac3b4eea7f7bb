// What has become free is offered to whoever waits for it: only where an appointment gives its time back.
export { offering, offerNext } from './waiting/offering.ts';
