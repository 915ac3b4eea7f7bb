import type { OwnRoutes } from '../routes.ts';
import { auditEventRoutes } from './audit-event.ts';
import { binaryRoutes } from './binary.ts';
import { codeSystemRoutes } from './code-system.ts';
import { compositionRoutes } from './composition.ts';
import { deviceRoutes } from './device.ts';
import { documentReferenceRoutes } from './document-reference.ts';
import { encounterRoutes } from './encounter.ts';
import { observationRoutes } from './observation.ts';
import { patientRoutes } from './patient.ts';
import { practitionerRoutes } from './practitioner.ts';
import { relatedPersonRoutes } from './related-person.ts';
import { valueSetRoutes } from './value-set.ts';

/** The own routes of all types, for whoever serves or describes all types. The function of one type brings those of this type alone. */
export const ownRoutes: OwnRoutes = {
  ...auditEventRoutes,
  ...binaryRoutes,
  ...codeSystemRoutes,
  ...compositionRoutes,
  ...deviceRoutes,
  ...documentReferenceRoutes,
  ...encounterRoutes,
  ...observationRoutes,
  ...patientRoutes,
  ...practitionerRoutes,
  ...relatedPersonRoutes,
  ...valueSetRoutes,
};
