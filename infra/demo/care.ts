import { date, dateTime, dayMs } from './calendar.ts';
import { type Chart, named, type Visit } from './chart.ts';
import { hl7, snomed } from './concepts.ts';
import { type AcuteIllness, azithromycin, type ChronicIllness, type Medicine, medicineForms } from './illnesses.ts';
import { ageAt } from './life.ts';

/** An illness that stays, as found at a visit. */
export const addChronicCondition = (
  chart: Chart,
  visit: Visit,
  { concept }: ChronicIllness,
  reference: string,
): void => {
  chart.add(
    {
      resourceType: 'Condition',
      clinicalStatus: hl7('condition-clinical', 'active', 'Active'),
      verificationStatus: hl7('condition-ver-status', 'confirmed', 'Confirmed'),
      category: [hl7('condition-category', 'problem-list-item', 'Problem List Item')],
      code: concept,
      subject: named(chart.subject),
      encounter: visit.encounter,
      onsetDateTime: dateTime(visit.start),
      recordedDate: dateTime(visit.start),
      recorder: named(chart.staff.physician),
    },
    reference,
  );
};

/** An illness that brought the patient here, and has passed since unless that would be later than the chart ends. */
export const addAcuteCondition = (chart: Chart, visit: Visit, { concept }: AcuteIllness, reference: string): void => {
  const passed = visit.end + chart.random.whole(3, 18) * dayMs;
  const isOver = passed < chart.life.end;
  chart.add(
    {
      resourceType: 'Condition',
      clinicalStatus: isOver
        ? hl7('condition-clinical', 'resolved', 'Resolved')
        : hl7('condition-clinical', 'active', 'Active'),
      verificationStatus: hl7('condition-ver-status', 'confirmed', 'Confirmed'),
      category: [hl7('condition-category', 'encounter-diagnosis', 'Encounter Diagnosis')],
      code: concept,
      subject: named(chart.subject),
      encounter: visit.encounter,
      onsetDateTime: dateTime(visit.start),
      ...(isOver ? { abatementDateTime: dateTime(passed) } : {}),
      recordedDate: dateTime(visit.start),
      recorder: named(chart.staff.physician),
    },
    reference,
  );
};

/** The medicine, or another one for a child or for who is allergic to penicillin. */
export const safeMedicine = ({ life }: Chart, visit: Visit, medicine: Medicine): Medicine => {
  const isAllergic = medicine.penicillin && life.allergies.some(({ penicillin }) => penicillin);
  const safe = isAllergic ? azithromycin : medicine;
  return (ageAt(life, visit.start) < 12 ? safe.forChild : undefined) ?? safe;
};

/** How often a prescription of what stays may be filled anew: for a year in all. */
const repeats = 3;

/** For how many days a prescription is good. */
export const supplyDays = ({ days }: Medicine, stays: boolean): number => days * (stays ? 1 + repeats : 1);

/**
 * A prescription. https://hl7.org/fhir/R4/medicationrequest.html
 *
 * @param stays - whether it is taken until it is changed; else until the course is over.
 */
export const prescription = (
  chart: Chart,
  visit: Visit,
  medicine: Medicine,
  reason: string,
  stays: boolean,
): fhir4.MedicationRequest => {
  const { concept, dose, form, timesADay, days, asNeeded } = medicine;
  const { code, unit, route } = medicineForms[form];
  const counted = (value: number): fhir4.Quantity => ({
    value,
    unit,
    system: 'http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm',
    code,
  });
  const duration: fhir4.Duration = { value: days, unit: 'day', system: 'http://unitsofmeasure.org', code: 'd' };
  return {
    resourceType: 'MedicationRequest',
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: concept,
    subject: named(chart.subject),
    encounter: visit.encounter,
    authoredOn: dateTime(visit.start),
    requester: named(chart.staff.physician),
    reasonReference: [{ reference: reason }],
    dosageInstruction: [
      {
        sequence: 1,
        text: medicine.instruction,
        timing: {
          repeat: {
            ...(stays ? {} : { boundsDuration: duration }),
            frequency: timesADay,
            period: 1,
            periodUnit: 'd',
          },
        },
        asNeededBoolean: asNeeded,
        route,
        ...(dose === undefined ? {} : { doseAndRate: [{ doseQuantity: counted(dose) }] }),
      },
    ],
    dispenseRequest: {
      numberOfRepeatsAllowed: stays ? repeats : 0,
      ...(dose === undefined || asNeeded ? {} : { quantity: counted(dose * timesADay * days) }),
      expectedSupplyDuration: duration,
    },
  };
};

export const addProcedure = (
  chart: Chart,
  visit: Visit,
  concept: fhir4.CodeableConcept,
  reason: string | undefined,
): void => {
  chart.add({
    resourceType: 'Procedure',
    status: 'completed',
    code: concept,
    subject: named(chart.subject),
    encounter: visit.encounter,
    performedPeriod: { start: dateTime(visit.start), end: dateTime(visit.end) },
    performer: [{ actor: named(chart.staff.physician), onBehalfOf: named(chart.organization) }],
    ...(reason === undefined ? {} : { reasonReference: [{ reference: reason }] }),
  });
};

export const addImmunization = (chart: Chart, visit: Visit, vaccine: fhir4.CodeableConcept): void => {
  chart.add({
    resourceType: 'Immunization',
    status: 'completed',
    vaccineCode: vaccine,
    patient: named(chart.subject),
    encounter: visit.encounter,
    occurrenceDateTime: dateTime(visit.start),
    primarySource: true,
    performer: [{ actor: named(chart.staff.nurse) }],
  });
};

export const addAllergies = (chart: Chart, visit: Visit): void => {
  for (const { concept, category, criticality, manifestation, severity } of chart.life.allergies) {
    chart.add({
      resourceType: 'AllergyIntolerance',
      clinicalStatus: hl7('allergyintolerance-clinical', 'active', 'Active'),
      verificationStatus: hl7('allergyintolerance-verification', 'confirmed', 'Confirmed'),
      type: 'allergy',
      category: [category],
      criticality,
      code: concept,
      patient: named(chart.subject),
      encounter: visit.encounter,
      recordedDate: dateTime(visit.start),
      recorder: named(chart.staff.physician),
      reaction: [{ manifestation: [manifestation], severity }],
    });
  }
};

/** Who looks after the patient from a visit on. */
export const addCareTeam = (chart: Chart, visit: Visit, reason: string): string =>
  chart.add({
    resourceType: 'CareTeam',
    status: 'active',
    name: `Care team of ${chart.subject.display}`,
    subject: named(chart.subject),
    encounter: visit.encounter,
    period: { start: dateTime(visit.start) },
    participant: [
      { role: [snomed('116154003', 'Patient')], member: named(chart.subject) },
      {
        role: [snomed('309343006', 'Physician')],
        member: named(chart.staff.physician),
        onBehalfOf: named(chart.organization),
      },
      { role: [snomed('106292003', 'Professional nurse')], member: named(chart.staff.nurse) },
    ],
    reasonReference: [{ reference: reason }],
    managingOrganization: [named(chart.organization)],
  });

/** A plan for an illness, with its goals. https://hl7.org/fhir/R4/careplan.html */
export const addCarePlan = (
  chart: Chart,
  visit: Visit,
  plan: NonNullable<ChronicIllness['plan']>,
  reason: string,
  team: string,
): void => {
  const goals = plan.goals.map((text) => ({
    reference: chart.add({
      resourceType: 'Goal',
      lifecycleStatus: 'active',
      achievementStatus: hl7('goal-achievement', 'in-progress', 'In Progress'),
      description: { text },
      subject: named(chart.subject),
      startDate: date(visit.start),
      addresses: [{ reference: reason }],
    }),
  }));
  chart.add({
    resourceType: 'CarePlan',
    status: 'active',
    intent: 'order',
    category: [plan.category],
    title: plan.category.text ?? '',
    subject: named(chart.subject),
    encounter: visit.encounter,
    period: { start: dateTime(visit.start) },
    created: dateTime(visit.start),
    author: named(chart.staff.physician),
    careTeam: [{ reference: team }],
    addresses: [{ reference: reason }],
    goal: goals,
    activity: plan.activities.map((code) => ({
      detail: { code, status: 'in-progress', performer: [named(chart.subject)] },
    })),
  });
};

/** What to do at home about an illness that passes: a plan that was completed with it. */
export const addRecoveryPlan = (chart: Chart, visit: Visit, reason: string): void => {
  const over = visit.end + 14 * dayMs;
  const isOver = over < chart.life.end;
  chart.add({
    resourceType: 'CarePlan',
    status: isOver ? 'completed' : 'active',
    intent: 'order',
    category: [snomed('734163000', 'Care plan')],
    title: 'Rest and fluids at home',
    subject: named(chart.subject),
    encounter: visit.encounter,
    period: { start: dateTime(visit.start), ...(isOver ? { end: dateTime(over) } : {}) },
    created: dateTime(visit.start),
    author: named(chart.staff.physician),
    addresses: [{ reference: reason }],
    activity: ['Rest at home', 'Drink plenty of fluids'].map((text) => ({
      detail: { code: { text }, status: isOver ? 'completed' : 'in-progress' },
    })),
  });
};
