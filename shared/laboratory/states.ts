import { legalMoves, withReason } from '../work/legal-moves.ts';

/** What may become of a report: what was final is revised as often as need be, and never preliminary again. https://hl7.org/fhir/R4/valueset-diagnostic-report-status.html */
export const reportMoves = legalMoves<fhir4.DiagnosticReport['status']>('DiagnosticReport.status', {
  registered: ['partial', 'preliminary', 'final', 'cancelled', 'unknown'],
  partial: ['preliminary', 'final', 'cancelled', 'unknown'],
  preliminary: ['final', 'cancelled', 'unknown'],
  final: ['amended', 'corrected', 'appended'],
  amended: ['corrected', 'appended'],
  corrected: ['amended', 'appended'],
  appended: ['amended', 'corrected'],
  cancelled: [withReason('registered')],
  unknown: ['registered', 'partial', 'preliminary', 'final', 'amended', 'corrected', 'appended', 'cancelled'],
  'entered-in-error': [],
});

/** The same of a single result, or of any other observation. https://hl7.org/fhir/R4/valueset-observation-status.html */
export const observationMoves = legalMoves<fhir4.Observation['status']>('Observation.status', {
  registered: ['preliminary', 'final', 'cancelled', 'unknown'],
  preliminary: ['final', 'cancelled', 'unknown'],
  final: ['amended', 'corrected'],
  amended: ['corrected'],
  corrected: ['amended'],
  cancelled: [withReason('registered')],
  unknown: ['registered', 'preliminary', 'final', 'amended', 'corrected', 'cancelled'],
  'entered-in-error': [],
});

/** What may become of a specimen. Whoever finds one usable after all says why. https://hl7.org/fhir/R4/valueset-specimen-status.html */
export const specimenMoves = legalMoves<NonNullable<fhir4.Specimen['status']>>('Specimen.status', {
  available: ['unavailable', 'unsatisfactory'],
  unavailable: ['available', 'unsatisfactory'],
  unsatisfactory: [withReason('available'), 'unavailable'],
  'entered-in-error': [],
});
