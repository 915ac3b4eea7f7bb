// Requests for amendments, and what is decided on them: a few a year.

export { decideAmendment } from './decide.ts';
export { requestAmendment, requestedAgain } from './request.ts';
