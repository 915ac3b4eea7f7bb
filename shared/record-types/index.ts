import { allergyIntolerance } from './allergy-intolerance.ts';
import { appointment } from './appointment.ts';
import { appointmentResponse } from './appointment-response.ts';
import { auditEvent } from './audit-event.ts';
import { basic } from './basic.ts';
import { binary } from './binary.ts';
import { carePlan } from './care-plan.ts';
import { careTeam } from './care-team.ts';
import { claim } from './claim.ts';
import { clinicalImpression } from './clinical-impression.ts';
import { communication } from './communication.ts';
import { communicationRequest } from './communication-request.ts';
import { composition } from './composition.ts';
import { condition } from './condition.ts';
import { consent } from './consent.ts';
import { coverage } from './coverage.ts';
import type { RecordType } from './define-record-type.ts';
import { detectedIssue } from './detected-issue.ts';
import { device } from './device.ts';
import { diagnosticReport } from './diagnostic-report.ts';
import { documentReference } from './document-reference.ts';
import { encounter } from './encounter.ts';
import { endpoint } from './endpoint.ts';
import { episodeOfCare } from './episode-of-care.ts';
import { explanationOfBenefit } from './explanation-of-benefit.ts';
import { familyMemberHistory } from './family-member-history.ts';
import { flag } from './flag.ts';
import { goal } from './goal.ts';
import { group } from './group.ts';
import { healthcareService } from './healthcare-service.ts';
import { imagingStudy } from './imaging-study.ts';
import { immunization } from './immunization.ts';
import { list } from './list.ts';
import { location } from './location.ts';
import { media } from './media.ts';
import { medication } from './medication.ts';
import { medicationAdministration } from './medication-administration.ts';
import { medicationDispense } from './medication-dispense.ts';
import { medicationRequest } from './medication-request.ts';
import { medicationStatement } from './medication-statement.ts';
import { observation } from './observation.ts';
import { organization } from './organization.ts';
import { patient } from './patient.ts';
import { practitioner } from './practitioner.ts';
import { practitionerRole } from './practitioner-role.ts';
import { procedure } from './procedure.ts';
import { provenance } from './provenance.ts';
import { questionnaire } from './questionnaire.ts';
import { questionnaireResponse } from './questionnaire-response.ts';
import { relatedPerson } from './related-person.ts';
import { riskAssessment } from './risk-assessment.ts';
import { schedule } from './schedule.ts';
import { serviceRequest } from './service-request.ts';
import { slot } from './slot.ts';
import { specimen } from './specimen.ts';
import { subscription } from './subscription.ts';
import { supplyDelivery } from './supply-delivery.ts';
import { task } from './task.ts';

/** Every record type that has a function of its own. ADD A RECORD TYPE HERE: one file beside this one, one line below. */
export const recordTypes: readonly RecordType[] = [
  patient,
  relatedPerson,
  practitioner,
  practitionerRole,
  organization,
  location,
  healthcareService,
  endpoint,
  coverage,
  claim,
  explanationOfBenefit,
  encounter,
  episodeOfCare,
  condition,
  allergyIntolerance,
  familyMemberHistory,
  procedure,
  immunization,
  carePlan,
  careTeam,
  goal,
  flag,
  clinicalImpression,
  riskAssessment,
  detectedIssue,
  medication,
  medicationRequest,
  medicationDispense,
  medicationAdministration,
  medicationStatement,
  serviceRequest,
  specimen,
  observation,
  diagnosticReport,
  imagingStudy,
  media,
  appointment,
  appointmentResponse,
  schedule,
  slot,
  composition,
  documentReference,
  binary,
  questionnaire,
  questionnaireResponse,
  task,
  communication,
  communicationRequest,
  consent,
  provenance,
  auditEvent,
  subscription,
  device,
  supplyDelivery,
  group,
  list,
  basic,
];
