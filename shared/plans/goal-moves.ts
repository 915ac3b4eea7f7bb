import { legalMoves, withReason } from '../work/legal-moves.ts';

/** What may become of a goal. https://hl7.org/fhir/R4/valueset-goal-status.html */
export const goalMoves = legalMoves<fhir4.Goal['lifecycleStatus']>('Goal.lifecycleStatus', {
  proposed: ['planned', 'accepted', 'active', 'rejected', 'cancelled'],
  planned: ['accepted', 'active', 'on-hold', 'rejected', 'cancelled'],
  accepted: ['planned', 'active', 'on-hold', 'cancelled'],
  active: ['on-hold', 'completed', 'cancelled'],
  'on-hold': ['active', 'completed', 'cancelled'],
  completed: [withReason('active')],
  cancelled: [],
  rejected: [],
  'entered-in-error': [],
});

type Achievement =
  | 'in-progress'
  | 'improving'
  | 'worsening'
  | 'no-change'
  | 'achieved'
  | 'sustaining'
  | 'not-achieved'
  | 'no-progress'
  | 'not-attainable';

const onTheWay = ['in-progress', 'improving', 'worsening', 'no-change', 'no-progress'] as const;
const anyOther = (state: Achievement) =>
  [...onTheWay, 'achieved', 'not-achieved', 'not-attainable'].filter((other) => other !== state) as Achievement[];

/** How far a goal is reached. Judgements follow one another as the patient does; what is kept up was reached first. https://hl7.org/fhir/R4/valueset-goal-achievement.html */
export const achievementMoves = legalMoves<Achievement>('Goal.achievementStatus', {
  'in-progress': anyOther('in-progress'),
  improving: anyOther('improving'),
  worsening: anyOther('worsening'),
  'no-change': anyOther('no-change'),
  'no-progress': anyOther('no-progress'),
  achieved: ['sustaining', ...anyOther('achieved')],
  sustaining: anyOther('sustaining'),
  'not-achieved': anyOther('not-achieved'),
  'not-attainable': anyOther('not-attainable'),
});
