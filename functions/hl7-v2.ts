import { serveHl7V2 } from '../shared/http/serve-hl7-v2.ts';
import { allergyIntolerance } from '../shared/record-types/allergy-intolerance.ts';
import { appointment } from '../shared/record-types/appointment.ts';
import { binary } from '../shared/record-types/binary.ts';
import { condition } from '../shared/record-types/condition.ts';
import { coverage } from '../shared/record-types/coverage.ts';
import { device } from '../shared/record-types/device.ts';
import { diagnosticReport } from '../shared/record-types/diagnostic-report.ts';
import { encounter } from '../shared/record-types/encounter.ts';
import { endpoint } from '../shared/record-types/endpoint.ts';
import { immunization } from '../shared/record-types/immunization.ts';
import { location } from '../shared/record-types/location.ts';
import { observation } from '../shared/record-types/observation.ts';
import { organization } from '../shared/record-types/organization.ts';
import { patient } from '../shared/record-types/patient.ts';
import { practitioner } from '../shared/record-types/practitioner.ts';
import { relatedPerson } from '../shared/record-types/related-person.ts';
import { serviceRequest } from '../shared/record-types/service-request.ts';
import { specimen } from '../shared/record-types/specimen.ts';
import { task } from '../shared/record-types/task.ts';

/** `/hl7/v2`: messages of other systems, and those that wait. */
export const handler = serveHl7V2([
  allergyIntolerance,
  appointment,
  binary,
  condition,
  coverage,
  device,
  diagnosticReport,
  encounter,
  endpoint,
  immunization,
  location,
  observation,
  organization,
  patient,
  practitioner,
  relatedPerson,
  serviceRequest,
  specimen,
  task,
]);
