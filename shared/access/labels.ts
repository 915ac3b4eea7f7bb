/** Whether a label, `system|code`, makes a psychotherapy note of what bears it. By whatever name of the code system: closed is the safe side. */
export const isPsychotherapyNote = (label: string): boolean => label.endsWith('|PSYTHPN');
