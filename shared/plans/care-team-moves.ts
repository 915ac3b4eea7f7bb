import { legalMoves } from '../work/legal-moves.ts';

/** What may become of a care team: one that was at rest may come together again. https://hl7.org/fhir/R4/valueset-care-team-status.html */
export const careTeamMoves = legalMoves<NonNullable<fhir4.CareTeam['status']>>('CareTeam.status', {
  proposed: ['active', 'inactive'],
  active: ['suspended', 'inactive'],
  suspended: ['active', 'inactive'],
  inactive: ['active'],
  'entered-in-error': [],
});
