import { RecordError } from '../../errors.ts';
import { linkedWith } from '../../store/chart-links.ts';
import { timeKey, timeOfPlace } from '../../store/ids.ts';
import { linkedPage } from '../../store/linked-page.ts';
import type { Interaction } from '../context.ts';
import { requireTypeAccess } from '../require-access.ts';

const reading = { readPage: linkedPage };

/** `Encounter/{id}/$everything`. https://hl7.org/fhir/R4/encounter-operation-everything.html */
export const everythingOfEncounter: Interaction = async (context, { id }) =>
  (await import('./everything.lazy.ts')).everythingOfEncounter(context, id, reading);

/** `Patient/{id}/$everything`. https://hl7.org/fhir/R4/patient-operation-everything.html */
export const everythingOfPatient: Interaction = async (context, { id }) =>
  (await import('./everything.lazy.ts')).everythingOfPatient(context, id, reading);

/** `Patient/$everything`: of the patient who asks. Whoever else asks has to say of whom. */
export const everythingOfOwn: Interaction = async (context, target) => {
  requireTypeAccess(context, 'r');
  const { patient } = context.asking.caller;
  if (patient === undefined) {
    throw new RecordError('too-costly', 'Name the patient: Patient/{id}/$everything', { expression: 'id' });
  }
  return everythingOfPatient(context, { ...target, id: patient });
};

/** `Patient/{id}/$timeline`. */
export const timelineOfPatient: Interaction = async (context, { id }) =>
  (await import('./everything.lazy.ts')).timelineOfPatient(context, id, {
    ...reading,
    linkedWith,
    timeKey,
    timeOfPlace,
  });
