import { addPharmacyClaim, addVisitClaim } from './billing.ts';
import { dateTime, dayMs, minuteMs, yearMs } from './calendar.ts';
import {
  addAcuteCondition,
  addAllergies,
  addCarePlan,
  addCareTeam,
  addChronicCondition,
  addImmunization,
  addProcedure,
  addRecoveryPlan,
  prescription,
  safeMedicine,
  supplyDays,
} from './care.ts';
import { type Chart, named, type Visit, type VisitKind } from './chart.ts';
import { snomed } from './concepts.ts';
import { type AcuteIllness, acuteIllnesses, type ChronicIllness, type Medicine } from './illnesses.ts';
import { ageAt } from './life.ts';
import { addComposition, addDocument, addMessage, addNoteReport, type NoteContent } from './notes.ts';
import { observer } from './observations.ts';
import { addTask } from './plans.ts';
import { influenza, influenzaMonths, tetanus, vaccines } from './vaccines.ts';
import type { PlannedVisit } from './visits.ts';

const visitTypes: Readonly<Record<VisitKind, { concept: fhir4.CodeableConcept; price: number; minutes: number }>> = {
  'check-up': { concept: snomed('185349003', 'Encounter for check up'), price: 140, minutes: 30 },
  'follow-up': { concept: snomed('390906007', 'Follow-up encounter'), price: 110, minutes: 20 },
  symptom: { concept: snomed('185345009', 'Encounter for symptom'), price: 120, minutes: 20 },
  emergency: { concept: snomed('50849002', 'Emergency room admission'), price: 480, minutes: 150 },
  inpatient: { concept: snomed('183452005', 'Emergency hospital admission'), price: 5_200, minutes: 3 * 24 * 60 },
};

/** https://terminology.hl7.org/ValueSet-v3-ActEncounterCode.html */
const classes: Readonly<Record<VisitKind, { code: string; display: string }>> = {
  'check-up': { code: 'AMB', display: 'ambulatory' },
  'follow-up': { code: 'AMB', display: 'ambulatory' },
  symptom: { code: 'AMB', display: 'ambulatory' },
  emergency: { code: 'EMER', display: 'emergency' },
  inpatient: { code: 'IMP', display: 'inpatient encounter' },
};

const medicationReview = snomed('428191000124101', 'Documentation of current medications');
const colonoscopy = snomed('73761001', 'Colonoscopy');
const electrocardiogram = snomed('29303009', 'Electrocardiographic procedure');
const healthAssessment = snomed('710824005', 'Assessment of health and social care needs');

/** An illness that was found, and the reference of its Condition. */
export interface Treated {
  readonly illness: ChronicIllness;
  readonly condition: string;
}

/** Age of a prescription from which a visit renews it, and how long a medicine is taken once its supply should be used up. */
const renewAfterMs = 330 * dayMs;
const graceMs = 90 * dayMs;

/**
 * Writes the history of a chart, visit by visit.
 *
 * @param visits - in order of time.
 * @returns the illnesses that stay, in the order in which they were found.
 */
export const addVisits = (
  chart: Chart,
  visits: readonly PlannedVisit[],
  coverage: fhir4.Reference,
): readonly Treated[] => {
  const { random, life } = chart;
  const found = new Map<ChronicIllness, number>();
  const treated: Treated[] = [];
  const pending = [...life.illnesses];
  /** Prescriptions of what stays, by medicine: the newest, and when it was written. */
  const current = new Map<Medicine, { readonly order: fhir4.MedicationRequest; readonly at: number }>();
  const befallen = new Map<AcuteIllness, number>();
  const observe = observer(chart, found);
  const immunize = immunizer(chart);
  let prescribed: string[] = [];
  let team: string | undefined;
  let colonoscopyAt = Number.NEGATIVE_INFINITY;

  const open = (planned: PlannedVisit, kind: VisitKind, diagnosis: string | undefined): Visit => {
    const { concept, price, minutes } = visitTypes[kind];
    const { start, before, appointment } = planned;
    prescribed = [];
    const end = start + Math.max(1, Math.floor(Math.min(minutes, (before - start) / minuteMs))) * minuteMs;
    const encounter = chart.add({
      resourceType: 'Encounter',
      status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', ...classes[kind] },
      type: [concept],
      subject: named(chart.subject),
      participant: [{ individual: named(chart.staff.physician) }],
      ...(appointment === undefined ? {} : { appointment: [{ reference: appointment }] }),
      period: { start: dateTime(start), end: dateTime(end) },
      ...(diagnosis === undefined ? {} : { diagnosis: [{ condition: { reference: diagnosis } }] }),
      ...(chart.organization.location === undefined
        ? {}
        : { location: [{ location: named(chart.organization.location) }] }),
      serviceProvider: named(chart.organization),
    });
    return { kind, encounter: { reference: encounter }, start, end, services: [{ concept, price }] };
  };

  const operate = (visit: Visit, concept: fhir4.CodeableConcept, price: number, reason?: string): void => {
    addProcedure(chart, visit, concept, reason);
    visit.services.push({ concept, price });
  };

  /** Prescribes until the course is over, or what stays until it is prescribed anew. */
  const prescribe = (visit: Visit, medicine: Medicine, reason: string, stays: boolean): void => {
    const given = safeMedicine(chart, visit, medicine);
    const order = prescription(chart, visit, given, reason, stays);
    addPharmacyClaim(chart, visit, coverage, chart.add(order), given.concept);
    prescribed.push(`${given.concept.text ?? ''}: ${given.instruction.toLowerCase()}`);
    if (!stays) {
      if (!isTaken(order, visit.start, given, stays)) order.status = 'completed';
      return;
    }
    const before = current.get(given);
    if (before !== undefined) before.order.status = 'completed';
    current.set(given, { order, at: visit.start });
  };

  const isTaken = (order: fhir4.MedicationRequest, at: number, medicine: Medicine, stays: boolean): boolean =>
    order.status === 'active' &&
    life.death === undefined &&
    at + supplyDays(medicine, stays) * dayMs + (stays ? graceMs : 0) > life.end;

  /** Renews what the patient takes for an illness, where the last prescription is some time ago. */
  const renew = (visit: Visit, { illness, condition }: Treated): void => {
    for (const medicine of illness.medicines) {
      const last = current.get(medicine);
      if (last !== undefined && visit.start - last.at > renewAfterMs) prescribe(visit, medicine, condition, true);
    }
  };

  const diagnose = (visit: Visit, illness: ChronicIllness, condition: string): void => {
    addChronicCondition(chart, visit, illness, condition);
    found.set(illness, visit.start);
    treated.push({ illness, condition });
    for (const medicine of illness.medicines.slice(0, 1)) prescribe(visit, medicine, condition, true);
    if (illness.plan === undefined) return;
    team ??= addCareTeam(chart, visit, condition);
    addCarePlan(chart, visit, illness.plan, condition, team);
  };

  const checkUp = (planned: PlannedVisit): [Visit, string, string | undefined] => {
    const next = pending[0];
    const isFound = next !== undefined && next.onsetAge <= ageAt(life, planned.start);
    const condition = isFound ? chart.newReference() : undefined;
    const telling = isFound ? next.illness.panel : undefined; // what the illness was found by
    const visit = open(planned, 'check-up', condition);
    const age = ageAt(life, visit.start);
    observe.checkUp(visit);
    immunize.checkUp(visit);
    immunize.influenza(visit);
    if (age >= 18) {
      const usual = [
        ['basic metabolic', 0.24],
        ['lipid', 0.26],
        ['blood count', 0.08],
      ] as const;
      for (const [name, probability] of usual) {
        if (random.chance(probability) && name !== telling) observe.panel(visit, name);
      }
      if (telling !== undefined) observe.panel(visit, telling, condition);
    } else if (random.chance(0.1)) {
      observe.panel(visit, 'blood count');
    }
    if (random.chance(0.35)) operate(visit, medicationReview, 35);
    if (random.chance(0.18)) operate(visit, healthAssessment, 60);
    if (age >= 50 && visit.start - colonoscopyAt > 8 * yearMs && random.chance(0.3)) {
      colonoscopyAt = visit.start;
      operate(visit, colonoscopy, 900);
    }
    for (const one of treated) renew(visit, one);
    if (isFound && condition !== undefined) {
      pending.shift();
      diagnose(visit, next.illness, condition);
      return [visit, `Check-up; ${next.illness.concept.text ?? ''} was found.`, condition];
    }
    return [visit, age < 2 ? 'Check-up of a small child.' : 'Yearly check-up.', undefined];
  };

  const followUp = (planned: PlannedVisit, followed: Treated): [Visit, string, string] => {
    const { illness, condition } = followed;
    const visit = open(planned, 'follow-up', condition);
    observe.bloodPressure(visit);
    immunize.influenza(visit);
    if (illness.panel !== undefined) observe.panel(visit, illness.panel, condition);
    if (illness.procedure !== undefined) operate(visit, illness.procedure, 120, condition);
    operate(visit, medicationReview, 35, condition);
    if (random.chance(0.25)) operate(visit, electrocardiogram, 90, condition);
    renew(visit, followed);
    for (const medicine of illness.medicines) {
      if (!current.has(medicine) && random.chance(0.75)) prescribe(visit, medicine, condition, true);
    }
    return [visit, `Follow-up of ${illness.concept.text ?? ''}.`, condition];
  };

  const complaint = (planned: PlannedVisit): [Visit, string, string] => {
    const illness = pickIllness(chart, ageAt(life, planned.start), befallen);
    befallen.set(illness, (befallen.get(illness) ?? 0) + 1);
    const condition = chart.newReference();
    const kind = illness.at === 'office' ? 'symptom' : illness.at === 'ward' ? 'inpatient' : 'emergency';
    const visit = open(planned, kind, condition);
    addAcuteCondition(chart, visit, illness, condition);
    observe.temperature(visit, illness.feverish ?? false);
    if (ageAt(life, visit.start) >= 12) observe.bloodPressure(visit);
    if (kind === 'inpatient') observe.panel(visit, 'blood count', condition);
    for (const procedure of illness.procedures)
      operate(visit, procedure, kind === 'inpatient' ? 2_400 : 130, condition);
    if (kind === 'symptom' && random.chance(0.4)) operate(visit, medicationReview, 35, condition);
    for (const medicine of illness.medicines) prescribe(visit, medicine, condition, false);
    if (illness.feverish && random.chance(0.35)) addRecoveryPlan(chart, visit, condition);
    return [visit, `${illness.concept.text ?? ''}.`, condition];
  };

  const visitFor = (planned: PlannedVisit, isFirst: boolean): [Visit, string, string | undefined] => {
    const [first] = treated;
    if (planned.appointment !== undefined && first !== undefined) return followUp(planned, first);
    if (planned.appointment !== undefined || planned.isCheckUp || isFirst) return checkUp(planned);
    return first !== undefined && random.chance(0.68) ? followUp(planned, random.pick(treated)) : complaint(planned);
  };

  visits.forEach((planned, index) => {
    const [visit, reason, condition] = visitFor(planned, index === 0);
    if (index === 0) addAllergies(chart, visit);
    const isLast = index === visits.length - 1;
    const note = noteOf(reason, treated, prescribed, visit.kind, ageAt(life, visit.start));
    if (random.chance(0.16)) addDocument(chart, visit, note);
    if (random.chance(0.25)) addNoteReport(chart, visit, note);
    if (isLast) {
      addComposition(chart, visit, note);
      addMessage(chart, visit);
      if (life.death === undefined) addTask(chart, visit);
    }
    addVisitClaim(chart, visit, coverage, condition);
  });
  for (const [medicine, { order, at }] of current) {
    if (!isTaken(order, at, medicine, true)) order.status = 'completed';
  }
  return treated;
};

const noteOf = (
  reason: string,
  treated: readonly Treated[],
  prescribed: readonly string[],
  kind: VisitKind,
  age: number,
): NoteContent => {
  const next = age < 2 ? 'three months' : 'a year';
  return {
    reason,
    problems: treated.map(({ illness }) => illness.concept.text ?? ''),
    plan: [
      ...(prescribed.length === 0 ? [] : [`Prescribed today: ${prescribed.join('; ')}.`]),
      ...(treated.length > 0 ? ['Continue the present treatment. Next visit in three months, or earlier.'] : []),
      ...(kind === 'check-up' || kind === 'follow-up' ? [] : ['Come back if it is not better in a week.']),
      ...(treated.length === 0 && kind === 'check-up' ? [`No treatment. Next check-up in ${next}.`] : []),
    ].join(' '),
  };
};

/** How often somebody has the same illness that passes within the years of a chart, unless it says so itself. */
const usuallyAtMost = 4;

/** One of the illnesses of an age, the likely ones more often, and none more often than anybody has it. */
const pickIllness = ({ random }: Chart, age: number, befallen: ReadonlyMap<AcuteIllness, number>): AcuteIllness => {
  const ofAge = acuteIllnesses.filter(({ ages: [from, to] }) => age >= from && age <= to);
  const possible = ofAge.filter((illness) => (befallen.get(illness) ?? 0) < (illness.atMost ?? usuallyAtMost));
  // In a chart made large on purpose, colds come again and again.
  const common = possible.length > 0 ? possible : ofAge.filter(({ atMost }) => atMost === undefined);
  return random.pick(common.flatMap((illness) => Array.from({ length: illness.weight }, () => illness)));
};

/** Vaccines, without the one against influenza, that a grown-up is given at one visit at most. */
const mostAtOnce = 2;

/** Gives what is due at the age of a visit, each dose once. */
const immunizer = (chart: Chart) => {
  const given = new Map<(typeof vaccines)[number], number>();
  let influenzaAt = Number.NEGATIVE_INFINITY;
  let tetanusAt = Number.NEGATIVE_INFINITY;
  const give = (visit: Visit, vaccine: fhir4.CodeableConcept) => {
    addImmunization(chart, visit, vaccine);
    visit.services.push({ concept: vaccine, price: 45 });
  };
  const monthsAt = (visit: Visit) => ageAt(chart.life, visit.start) * 12;

  return {
    /** Before and in the season, once a year. */
    influenza: (visit: Visit): void => {
      const isSeason = influenzaMonths.includes(new Date(visit.start).getUTCMonth() + 1);
      if (!isSeason || monthsAt(visit) < 6 || visit.start - influenzaAt < 220 * dayMs) return;
      if (!chart.random.chance(0.93)) return;
      influenzaAt = visit.start;
      give(visit, influenza);
    },

    checkUp: (visit: Visit): void => {
      const months = monthsAt(visit);
      let left = months >= 216 ? mostAtOnce : vaccines.length;
      for (const vaccine of vaccines) {
        const dose = vaccine.doses.findIndex(
          ([from, to], index) => index >= (given.get(vaccine) ?? 0) && months >= from && months < to,
        );
        if (dose < 0 || left === 0) continue;
        left -= 1;
        given.set(vaccine, dose + 1);
        give(visit, vaccine.concept);
      }
      if (months >= 252 && left > 0 && visit.start - tetanusAt > 10 * yearMs && chart.random.chance(0.7)) {
        tetanusAt = visit.start;
        give(visit, tetanus);
      }
    },
  };
};
