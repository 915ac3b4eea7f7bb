// Every function needs to know where a reference leads, without the definitions of the types it leads to.

/** The parameter that names the patients whose record it is. AdverseEvent is the one clinical type whose parameter has another name. */
export const homeParameterOf = (type: string): string => (type === 'AdverseEvent' ? 'subject' : 'patient');

/**
 * Types whose records may belong to a patient: those that have the parameter above. Such a record's home is the chart of the first
 * patient that the parameter names. Records of other types are their own collection. A test compares this with the definitions.
 */
export const typesOfPatients: ReadonlySet<string> = new Set(
  `Account AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent Basic BodyStructure CarePlan CareTeam
   ChargeItem Claim ClaimResponse ClinicalImpression Communication CommunicationRequest Composition Condition Consent Contract
   Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device DeviceRequest DeviceUseStatement
   DiagnosticReport DocumentManifest DocumentReference Encounter EnrollmentRequest EpisodeOfCare ExplanationOfBenefit
   FamilyMemberHistory Flag Goal GuidanceResponse ImagingStudy Immunization ImmunizationEvaluation
   ImmunizationRecommendation Invoice List MeasureReport Media MedicationAdministration MedicationDispense MedicationRequest
   MedicationStatement MolecularSequence NutritionOrder Observation Person Procedure Provenance QuestionnaireResponse
   RelatedPerson RequestGroup ResearchSubject RiskAssessment ServiceRequest Specimen SupplyDelivery Task
   VisionPrescription`.split(/\s+/),
);

/** Whether a record of this type is found by its id alone, even if a client chose the id. A patient's chart has a random key. */
export const headsOwnChart = (type: string): boolean => type !== 'Patient' && !typesOfPatients.has(type);
