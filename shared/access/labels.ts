export const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

/** Whether a label, `system|code`, makes a psychotherapy note of what bears it. By whatever name of the code system: closed is the safe side. */
export const isPsychotherapyNote = (label: string): boolean => label.endsWith('|PSYTHPN');

/** Borne by all records of a substance-use programme. https://www.law.cornell.edu/cfr/text/42/2.12 */
export const part2Label = `${actCode}|42CFRPart2`;

/** That what was released is not to be released any further without a consent. https://www.law.cornell.edu/cfr/text/42/2.32 */
export const noRedisclosure = `${actCode}|NORDSCLCD`;
