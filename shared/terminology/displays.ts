/** What is said of a code, by its code system or by a value set that lists it. */
export interface Named {
  readonly display?: string | undefined;
  readonly designation?: readonly fhir4.CodeSystemConceptDesignation[] | undefined;
}

/** All other names of a code, each once. */
export const designationsOf = (said: readonly Named[]): readonly fhir4.CodeSystemConceptDesignation[] => {
  const all = said.flatMap(({ designation = [] }) => designation);
  return [...new Map(all.map((each) => [JSON.stringify(each), each])).values()];
};

/** Whether a language is the wanted one or a kind of it: `de-CH` is `de`. https://www.rfc-editor.org/rfc/rfc4647#section-3.3.1 */
export const isOfLanguage = (language: string | undefined, wanted: string): boolean =>
  `${language ?? ''}-`.toLowerCase().startsWith(`${wanted.toLowerCase()}-`);

/** The name of a code in a language, if there is one; else the first that is said of it. */
export const displayOf = (said: readonly Named[], language: string | undefined): string | undefined => {
  const fitting =
    language === undefined ? [] : designationsOf(said).filter((each) => isOfLanguage(each.language, language));
  return fitting[0]?.value ?? said.find(({ display }) => display !== undefined)?.display;
};

/** Every name of a code that somebody may use. */
export const displaysOf = (said: readonly Named[]): readonly string[] => [
  ...said.flatMap(({ display }) => display ?? []),
  ...designationsOf(said).map(({ value }) => value),
];
