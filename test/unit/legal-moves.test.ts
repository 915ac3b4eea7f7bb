import { describe, expect, it } from 'vitest';
import type { Role } from '../../shared/access/caller.ts';
import { RecordError } from '../../shared/errors.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import { careTeamMoves } from '../../shared/plans/care-team-moves.ts';
import { achievementMoves } from '../../shared/plans/goal-moves.ts';
import { isNewly } from '../../shared/work/flags.ts';
import {
  irregularMove,
  type LegalMoves,
  legalMoves,
  requireLegalMove,
  withMovesFlagged,
  withReason,
} from '../../shared/work/legal-moves.ts';

const moves = legalMoves(
  'Door.status',
  {
    open: ['shut', 'locked'],
    shut: [withReason('open')],
    locked: [],
    'entered-in-error': [],
  },
  { open: ['shut'] },
);

const door = (status: string | undefined, elements: object = {}): Resource =>
  ({ resourceType: 'Door', ...(status === undefined ? {} : { status }), ...elements }) as unknown as Resource;

const outcome = (before: Resource | undefined, next: Resource | undefined, role: Role = 'nurse'): string => {
  try {
    requireLegalMove(moves, before, next, { roles: [role] });
    return 'allowed';
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    return `${error.reason} at ${error.details[0]?.expression}: ${error.message}`;
  }
};
const extension = (which: 'event' | 'request', text: string) => ({
  extension: [{ url: `http://hl7.org/fhir/StructureDefinition/${which}-statusReason`, valueCodeableConcept: { text } }],
});

describe('a move', () => {
  it('is legal as the table has it', () => {
    expect(outcome(door('open'), door('shut'))).toBe('allowed');
    expect(outcome(door('open'), door('open'))).toBe('allowed');
    expect(outcome(undefined, door('locked'))).toBe('allowed');
    expect(outcome(door('locked'), undefined)).toBe('allowed');
    expect(outcome(door(undefined), door('locked'))).toBe('allowed');
  });

  it('is else refused with those that are possible', () => {
    expect(outcome(door('shut'), door('locked'))).toBe(
      'illegal-move at Door.status: What is shut cannot become locked. It can become: open with a reason, entered-in-error',
    );
    expect(outcome(door('shut'), door(undefined))).toContain('What is shut cannot become without a state');
  });

  it('leads from every state to entered-in-error, and nowhere from there', () => {
    for (const state of ['open', 'shut', 'locked'])
      expect(outcome(door(state), door('entered-in-error'))).toBe('allowed');
    expect(outcome(door('entered-in-error'), door('open'))).toContain('It can become: nothing else');
  });

  it.each([
    ['an element', { statusReason: 'It is hot' }],
    ['a concept', { statusReason: { text: 'It is hot' } }],
    ['a code', { statusReason: { coding: [{ code: 'hot' }] } }],
    ['one of several concepts', { statusReason: [{}, { text: 'It is hot' }] }],
    ['a choice of a concept', { statusReasonCodeableConcept: { text: 'It is hot' } }],
    ['a choice of a record', { statusReasonReference: { reference: 'DetectedIssue/hot' } }],
    ['an extension of an event', extension('event', 'It is hot')],
    ['an extension of a request', extension('request', 'It is hot')],
  ])('has its reason in %s, anew for each change', (_where, reason) => {
    expect(outcome(door('shut'), door('open', reason))).toBe('allowed');
    expect(outcome(door('shut', reason), door('open', reason))).toContain('move-needs-reason at Door.status');
  });

  it.each([
    {},
    { statusReason: ' ' },
    { statusReason: { text: ' ' } },
    { statusReason: {} },
    { statusReason: [{}] },
    { statusReasonReference: {} },
    extension('event', ''),
  ])('has no reason in %j', (none) => {
    expect(outcome(door('shut'), door('open', none))).toContain('move-needs-reason at Door.status');
  });

  it('of staff is not made by a patient', () => {
    expect(outcome(door('open'), door('locked'), 'patient')).toContain('forbidden-role at Door.status');
    expect(outcome(door('locked'), door('entered-in-error'), 'patient')).toContain('forbidden-role at Door.status');
    expect(outcome(door('open'), door('shut'), 'patient')).toBe('allowed');
  });

  it('of a concept goes by the code that the table knows; others are free', () => {
    const shades = legalMoves('Door.shade', { light: ['dark'], dark: [] });
    const shaded = (...codes: string[]) =>
      door(undefined, { shade: { text: 'some', coding: codes.map((code) => ({ code })) } });
    const judge = (before: Resource, next: Resource) => () =>
      requireLegalMove(shades, before, next, { roles: ['nurse'] });

    expect(judge(shaded('grey', 'dark'), shaded('light'))).toThrow('What is dark cannot become light');
    expect(judge(shaded('dark'), door(undefined))).toThrow('What is dark cannot become without a state');
    expect(judge(shaded('light'), shaded('grey', 'dark'))).not.toThrow();
    expect(judge(shaded('dark'), shaded('grey'))).not.toThrow();
    expect(judge(shaded('grey'), shaded('light'))).not.toThrow();
  });
});

describe('what the own system tells of', () => {
  const flagged = { meta: { tag: [irregularMove] } };

  it('is not refused', () => {
    expect(outcome(door('locked'), door('open'), 'system')).toBe('allowed');
  });

  it('is flagged where it does not follow from what was', () => {
    expect(withMovesFlagged(moves, door('locked'), door('open'))).toEqual(door('open', flagged));
    expect(withMovesFlagged(moves, door('shut'), door('open'))).toEqual(door('open', flagged));
    expect(withMovesFlagged(moves, door('open'), door('shut'))).toEqual(door('shut'));
    expect(withMovesFlagged(moves, undefined, door('shut'))).toEqual(door('shut'));
  });

  it('keeps its flag, and others', () => {
    const tagged = door('shut', { meta: { tag: [{ code: 'x' }] } });

    expect(withMovesFlagged(moves, door('open', flagged), tagged).meta?.tag).toEqual([{ code: 'x' }, irregularMove]);
    expect(withMovesFlagged(moves, door('locked'), door('open', flagged)).meta?.tag).toEqual([irregularMove]);
  });

  it('is told of once', () => {
    expect(isNewly(irregularMove, door('locked'), door('open', flagged))).toBe(true);
    expect(isNewly(irregularMove, door('locked', flagged), door('open', flagged))).toBe(false);
    expect(isNewly(irregularMove, undefined, door('open', flagged))).toBe(false);
    expect(isNewly(irregularMove, door('open', flagged), undefined)).toBe(false);
  });
});

describe('what changes too seldom for every way to write it', () => {
  const judge = (moves: LegalMoves, before: object, next: object): boolean => {
    try {
      requireLegalMove(moves, before as Resource, next as Resource, { roles: ['nurse'] });
      return true;
    } catch (error) {
      if (error instanceof RecordError && error.reason === 'illegal-move') return false;
      throw error;
    }
  };
  const pairsOf = (states: readonly string[]) =>
    states.flatMap((from) => states.flatMap((to) => (from === to ? [] : [[from, to] as const])));

  it('is of a care team that it was proposed, and that it was there in error', () => {
    const states = ['proposed', 'active', 'suspended', 'inactive', 'entered-in-error'];
    const never = pairsOf(states).filter(([from, to]) => !judge(careTeamMoves, { status: from }, { status: to }));

    expect(never.map((pair) => pair.join(' → '))).toEqual([
      'proposed → suspended',
      'active → proposed',
      'suspended → proposed',
      'inactive → proposed',
      'inactive → suspended',
      ...['proposed', 'active', 'suspended', 'inactive'].map((to) => `entered-in-error → ${to}`),
    ]);
  });

  it('is of a goal that what is kept up was achieved', () => {
    const states =
      'in-progress improving worsening no-change achieved sustaining not-achieved no-progress not-attainable'.split(
        ' ',
      );
    const goal = (code: string) => ({ achievementStatus: { coding: [{ code }] } });
    const never = pairsOf(states).filter(([from, to]) => !judge(achievementMoves, goal(from), goal(to)));

    expect(never).toEqual(
      states.filter((state) => state !== 'achieved' && state !== 'sustaining').map((state) => [state, 'sustaining']),
    );
  });
});
