import type { Parts } from './support-view.ts';

/**
 * What support staff give in with a booking, element by element: what they are shown of one, and with whom, where and for which service of the directory it is
 * to be. Anything else is refused, for nobody looks at it before it stands in a chart. docs/scheduling.md tells it.
 */
export const bookedBySupport: Parts = {
  resourceType: 'value',
  status: 'value',
  start: 'value',
  end: 'value',
  minutesDuration: 'value',
  serviceType: 'codes',
  participant: {
    type: 'interpreter',
    actor: ['Patient', 'Practitioner', 'PractitionerRole', 'Location', 'HealthcareService'],
    required: 'value',
    status: 'value',
  },
};
