import { historyOfType } from '../../interactions/history-across.ts';
import { type OwnRoutes, ofEveryType } from '../routes.ts';
import { appointmentRoutes } from './appointment.ts';
import { auditEventRoutes } from './audit-event.ts';
import { binaryRoutes } from './binary.ts';
import { carePlanRoutes } from './care-plan.ts';
import { codeSystemRoutes } from './code-system.ts';
import { communicationRoutes } from './communication.ts';
import { compositionRoutes } from './composition.ts';
import { consentRoutes } from './consent.ts';
import { deviceRoutes } from './device.ts';
import { diagnosticReportRoutes } from './diagnostic-report.ts';
import { documentReferenceRoutes } from './document-reference.ts';
import { encounterRoutes } from './encounter.ts';
import { goalRoutes } from './goal.ts';
import { medicationRequestRoutes } from './medication-request.ts';
import { observationRoutes } from './observation.ts';
import { patientRoutes } from './patient.ts';
import { practitionerRoutes } from './practitioner.ts';
import { relatedPersonRoutes } from './related-person.ts';
import { subscriptionRoutes } from './subscription.ts';
import { taskRoutes } from './task.ts';
import { valueSetRoutes } from './value-set.ts';

/** The own routes of all types, for whoever serves or describes all types. The function of one type brings those of this type alone. */
export const ownRoutes: OwnRoutes = {
  // Asked by itself, it has a function of its own, so that none of a type holds it.
  [ofEveryType]: [{ method: 'GET', path: ['_history'], interaction: historyOfType, name: 'history-type' }],
  ...appointmentRoutes,
  ...auditEventRoutes,
  ...binaryRoutes,
  ...carePlanRoutes,
  ...codeSystemRoutes,
  ...communicationRoutes,
  ...compositionRoutes,
  ...consentRoutes,
  ...deviceRoutes,
  ...diagnosticReportRoutes,
  ...documentReferenceRoutes,
  ...encounterRoutes,
  ...goalRoutes,
  ...medicationRequestRoutes,
  ...observationRoutes,
  ...patientRoutes,
  ...practitionerRoutes,
  ...relatedPersonRoutes,
  ...subscriptionRoutes,
  ...taskRoutes,
  ...valueSetRoutes,
};
