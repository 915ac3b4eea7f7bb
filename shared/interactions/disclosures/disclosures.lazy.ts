// The accounting of disclosures, which few ask for.

export { listDisclosures } from './list.ts';
export { entryAgain, recordDisclosure, suspendDisclosures } from './record.ts';
