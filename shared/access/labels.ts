export const actCode = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

/** Whether a label, `system|code`, makes a psychotherapy note of what bears it. By whatever name of the code system: closed is the safe side. */
export const isPsychotherapyNote = (label: string): boolean => label.endsWith('|PSYTHPN');

/** Borne by all records of a substance-use programme. https://www.law.cornell.edu/cfr/text/42/2.12 */
export const part2Label = `${actCode}|42CFRPart2`;

/** That what was released is not to be released any further without a consent. https://www.law.cornell.edu/cfr/text/42/2.32 */
export const noRedisclosure = `${actCode}|NORDSCLCD`;

const terminology = 'http://terminology.hl7.org/CodeSystem/';
const confidentiality = `${terminology}v3-Confidentiality|`;
/** From unrestricted to very restricted. https://terminology.hl7.org/CodeSystem-v3-Confidentiality.html */
const levels = ['U', 'L', 'M', 'N', 'R', 'V'];
export const normalLevel = levels.indexOf('N');

/** How confidential a label says that a record is; below all if it is about something else. */
export const levelOf = (label: string): number =>
  label.startsWith(confidentiality) ? levels.indexOf(label.slice(confidentiality.length)) : -1;

/** Labels that restrict nothing by themselves: of normal confidentiality, of integrity, for treatment, of test data; what is said to whom something is released. */
export const isHarmless = (label: string): boolean => {
  const level = levelOf(label);
  return (
    (level >= 0 && level <= normalLevel) ||
    label.startsWith(`${terminology}v3-ObservationValue|`) ||
    label === noRedisclosure ||
    label === `${terminology}v3-ActReason|TREAT` ||
    label === `${terminology}v3-ActReason|HTEST`
  );
};

/** Those of labels that restrict something, each once: what the log says of what it tells of. */
export const sensitiveAmong = (labels: readonly string[]): string[] =>
  [...new Set(labels)].filter((label) => !isHarmless(label));
