import { visitInEncounter } from '../access/visit.ts';
import { encounterInvariants } from '../fhir/generated/invariants/Encounter.ts';
import { encounterSchema } from '../fhir/generated/schemas/Encounter.ts';
import { encounterElements, encounterSearchTable } from '../fhir/generated/search-parameters/Encounter.ts';
import { programmeVisitChanges } from '../store/door-rows.ts';
import { encounterMoves } from '../visits/encounter-moves.ts';
import { keptOfVisit } from '../visits/kept-of-visit.ts';
import { checkOfState } from '../work/check-state.ts';
import { requireLegalMove, withMovesFlagged } from '../work/legal-moves.ts';
import { defineRecordType } from './define-record-type.ts';
import { visitsOf } from './visit-rows.ts';

const visits = visitsOf(visitInEncounter);

/** One visit by one patient. https://hl7.org/fhir/R4/encounter.html */
export const encounter = defineRecordType({
  name: 'Encounter',
  schema: encounterSchema,
  invariants: encounterInvariants,
  searchTable: encounterSearchTable,
  elements: encounterElements,
  date: 'date',
  requireChange: (...change) => requireLegalMove(encounterMoves, ...change),
  keeps: (before, next, ...when) => withMovesFlagged(encounterMoves, before, keptOfVisit(before, next, ...when)),
  raises: checkOfState,
  ...visits,
  accessRows: (write, writer) => {
    const changes = [visits.accessRows(write, writer), programmeVisitChanges(write)];
    return { puts: changes.flatMap(({ puts }) => puts), removes: changes.flatMap(({ removes }) => removes) };
  },
});
