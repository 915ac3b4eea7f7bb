const mark = 'Zwiebelfisch';

/** A text that says whose it is, such as `Zwiebelfisch7k`: it stands in names, identifiers and free texts, and nowhere by chance. */
export const canaryOf = (person: number): string => `${mark}${person.toString(36)}`;

/** The texts of patients that stand somewhere, in whatever case. */
export const canariesIn = (text: string): string[] => [
  ...new Set(text.match(new RegExp(`${mark}[0-9a-z]*`, 'gi')) ?? []),
];
