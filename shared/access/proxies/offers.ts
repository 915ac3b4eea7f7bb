import { addressesIn } from '../../fhir/addresses.ts';
import type { Resource } from '../../fhir/resource.ts';
import { isAbout, type Matter } from './confidential.ts';

// A booking may name a service or a free time of the directory and say nothing else of what it is for.

/** Types of the directory that say what somebody is booked for. */
export const offering: ReadonlySet<string> = new Set(['HealthcareService', 'Schedule', 'Slot']);

/** `Type/id` of what a record of a chart is booked with. */
export const offersNamedBy = (resource: Resource | undefined): string[] =>
  addressesIn(resource)
    .map(({ name }) => name)
    .filter((name) => offering.has(name.slice(0, name.indexOf('/'))));

/** An entry of the directory, as far as it tells what is booked with it. */
interface Offer {
  readonly labels: readonly string[];
  readonly resource: Resource | undefined;
}

/**
 * What an offer makes of whatever is booked with it: it says what it refers to, and what it is for if that is nothing else than these matters. A clinic that offers much besides tells nothing by its name.
 */
export const asBooked = (matters: ReadonlySet<Matter>, { labels, resource }: Offer): Resource | undefined => {
  if (!resource) return undefined;
  const { resourceType, type, category, serviceCategory, serviceType, specialty, appointmentType } =
    resource as Resource & Record<string, unknown>;
  const concepts = [type, category, serviceCategory, serviceType, specialty, appointmentType].flatMap(
    (each) => each ?? [],
  );
  const isOne = (concept: unknown) => isAbout(matters, { labels: [], resource: { concept } });
  const only = concepts.length > 0 && concepts.every(isOne);
  const named = addressesIn(resource).map(({ name }) => ({ reference: name }));
  return {
    resourceType,
    named,
    ...(only || isAbout(matters, { labels, resource: {} })
      ? { concepts: concepts.filter(isOne), labelled: labels }
      : {}),
  };
};
