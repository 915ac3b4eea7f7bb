/** Whether a concept, or one of several, has one of these codes, of whatever system. */
export const hasCode = (concepts: unknown, codes: readonly string[]): boolean =>
  [concepts ?? []]
    .flat()
    .some((concept) =>
      ((concept as fhir4.CodeableConcept).coding ?? []).some(({ code }) => code !== undefined && codes.includes(code)),
    );
