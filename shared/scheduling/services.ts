/** Names of services, one for each coding (`system|code`), or by their words where there is no code. */
export const servicesOf = (concepts: readonly fhir4.CodeableConcept[] = []): string[] => [
  ...new Set(
    concepts.flatMap(({ coding = [], text }) => {
      const codes = coding.flatMap(({ system = '', code }) => (code === undefined ? [] : [`${system}|${code}`]));
      return codes.length > 0 || text === undefined ? codes : [`"${text.trim().toLowerCase()}`];
    }),
  ),
];

/** Whether what is for some services, or for all if it names none, is for what is wanted, which may be anything. */
export const serves = (services: readonly string[], wanted: readonly string[]): boolean =>
  services.length === 0 || wanted.length === 0 || services.some((service) => wanted.includes(service));
