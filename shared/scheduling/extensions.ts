import { RecordError } from '../errors.ts';

const base = 'https://concord.example/fhir/StructureDefinition';

/** What R4 has no element for. docs/scheduling.md tells what each holds. */
export const extensionUrls = {
  /** https://hl7.org/fhir/extensions/StructureDefinition-timezone.html */
  timeZone: 'http://hl7.org/fhir/StructureDefinition/timezone',
  hours: `${base}/schedule-hours`,
  extraHours: `${base}/schedule-extra-hours`,
  notAvailable: `${base}/schedule-not-available`,
  service: `${base}/schedule-service`,
  capacity: `${base}/schedule-capacity`,
} as const;

/** In an Appointment: `valueString`, why it goes beyond the limits of its actors. */
export const overbookingReasonUrl = `${base}/overbooking-reason`;

/** In an Appointment that is `pending`: `valueInstant`, until when it holds its time. */
export const holdUntilUrl = `${base}/hold-until`;

/** In an Appointment: `valueString`, why it was moved to the time that it has. */
export const rescheduleReasonUrl = `${base}/reschedule-reason`;

/**
 * In an Appointment that waits, or was offered a time: whose time was `added` (`valueReference`) where it names nobody, and which times it has `passed` (`valuePeriod`, repeats); `valueBoolean` for
 * a first offer that adds nobody.
 */
export const waitlistOfferUrl = `${base}/waitlist-offer`;

/** In an Appointment: a state that it came into (`status`, `valueCode`), and when (`since`, `valueInstant`). */
export const statusHistoryUrl = `${base}/status-history`;

/** An extension, and the FHIRPath expression of where it stands. */
export interface FoundExtension {
  readonly extension: fhir4.Extension;
  readonly expression: string;
}

/** The refusal of an extension that says something else than it may. */
export const extensionRefused = ({ expression }: Pick<FoundExtension, 'expression'>, message: string): RecordError =>
  new RecordError('invalid', message, { reason: 'schedule-extension', expression });

/** Extensions of an element with this URL. */
export const extensionsIn = (
  { extension = [] }: { readonly extension?: readonly fhir4.Extension[] | undefined },
  expression: string,
  url: string,
): FoundExtension[] =>
  extension.flatMap((each, index) =>
    each.url === url ? [{ extension: each, expression: `${expression}.extension[${index}]` }] : [],
  );

/** The one extension with this URL, if there is one. @throws RecordError `invalid` if there are several. */
export const onlyExtension = (
  element: { readonly extension?: readonly fhir4.Extension[] | undefined },
  expression: string,
  url: string,
): FoundExtension | undefined => {
  const [first, second] = extensionsIn(element, expression, url);
  if (second) throw extensionRefused(second, 'This may be said once');
  return first;
};

/** The value of an extension. @throws RecordError `invalid` if it is of another type than this, such as `valueCode`. */
export const valueOf = <T>({ extension, expression }: FoundExtension, element: keyof fhir4.Extension): T => {
  const value = extension[element];
  if (value === undefined) throw extensionRefused({ expression }, `This needs a ${element}`);
  return value as T;
};

/** The parts of a complex extension. @throws RecordError `invalid` if it has others than these, or one of them too often. */
export class Parts {
  readonly #whole: FoundExtension;

  /** @param repeating - names of parts that may repeat. */
  constructor(whole: FoundExtension, names: readonly string[], repeating: readonly string[] = []) {
    this.#whole = whole;
    for (const [index, { url }] of (whole.extension.extension ?? []).entries()) {
      const found = { expression: `${whole.expression}.extension[${index}]` };
      if (!names.includes(url)) throw extensionRefused(found, `This has ${names.join(', ')}, and nothing else`);
    }
    for (const name of names) if (!repeating.includes(name)) onlyExtension(whole.extension, whole.expression, name);
  }

  /** Values of the parts with this name. */
  all<T>(name: string, element: keyof fhir4.Extension): T[] {
    const { extension, expression } = this.#whole;
    return extensionsIn(extension, expression, name).map((part) => valueOf<T>(part, element));
  }

  one<T>(name: string, element: keyof fhir4.Extension): T | undefined {
    return this.all<T>(name, element)[0];
  }

  /** A whole number within limits. @throws RecordError `invalid`. */
  number(name: string, element: 'valuePositiveInt' | 'valueUnsignedInt', most: number): number | undefined {
    const value = this.one<number>(name, element);
    if (value === undefined) return undefined;
    // Numbers keep their spelling: 7 and 7.0 are read alike.
    const number = Number(value);
    if (number > most) throw this.refused(`${name} may be ${most} at most`);
    return number;
  }

  refused(message: string): RecordError {
    return extensionRefused(this.#whole, message);
  }
}
