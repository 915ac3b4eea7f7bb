const base = 'https://concord.example/fhir/StructureDefinition';

/** A Schedule of a practitioner with these extensions. */
export const schedule = (...extensions: readonly (readonly fhir4.Extension[])[]): fhir4.Schedule => ({
  resourceType: 'Schedule',
  actor: [{ reference: 'Practitioner/p1' }],
  extension: extensions.flat(),
});

export const zone = (name: string): fhir4.Extension[] => [
  { url: 'http://hl7.org/fhir/StructureDefinition/timezone', valueCode: name },
];

/** Weekly hours, all day where no times are given; each day where none is. */
export const hours = (
  from: string | undefined,
  to: string | undefined,
  days: readonly string[] = [],
  { everyWeeks, period }: { everyWeeks?: number; period?: fhir4.Period } = {},
): fhir4.Extension[] => [
  {
    url: `${base}/schedule-hours`,
    extension: [
      ...days.map((valueCode) => ({ url: 'daysOfWeek', valueCode })),
      ...(from === undefined ? [{ url: 'allDay', valueBoolean: true }] : []),
      ...(from === undefined ? [] : [{ url: 'availableStartTime', valueTime: `${from}:00` }]),
      ...(to === undefined ? [] : [{ url: 'availableEndTime', valueTime: `${to}:00` }]),
      ...(everyWeeks === undefined ? [] : [{ url: 'everyWeeks', valuePositiveInt: everyWeeks }]),
      ...(period === undefined ? [] : [{ url: 'period', valuePeriod: period }]),
    ],
  },
];

/** Extra hours, or time in which nobody is there. */
export const dayHours = (
  name: 'schedule-extra-hours' | 'schedule-not-available',
  during: fhir4.Period,
): fhir4.Extension[] => [{ url: `${base}/${name}`, extension: [{ url: 'during', valuePeriod: during }] }];

/** What a kind of service needs. */
export const service = (parts: readonly fhir4.Extension[]): fhir4.Extension[] => [
  { url: `${base}/schedule-service`, extension: [...parts] },
];

/** How many may have the actor at once, and by how many more than that. */
export const capacity = (most: number, overbook?: number): fhir4.Extension[] => [
  {
    url: `${base}/schedule-capacity`,
    extension: [
      { url: 'capacity', valuePositiveInt: most },
      ...(overbook === undefined
        ? []
        : [
            { url: 'overbook', valueBoolean: true },
            { url: 'number', valuePositiveInt: overbook },
          ]),
    ],
  },
];
