/** Code system of what is written because somebody has broken the glass. */
export const emergencySystem = 'https://concord.example/fhir/CodeSystem/emergency';

/** Of a Task: somebody has to look whether that was right. */
export const reviewCode = 'break-glass-review';

/** Of a Communication: the patient is told. */
export const noticeCode = 'break-glass-notice';
