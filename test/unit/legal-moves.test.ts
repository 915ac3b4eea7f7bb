import { describe, expect, it } from 'vitest';
import type { Role } from '../../shared/access/caller.ts';
import { RecordError } from '../../shared/errors.ts';
import type { Resource } from '../../shared/fhir/resource.ts';
import {
  byStaff,
  irregularMove,
  isNewlyFlagged,
  legalMoves,
  requireLegalMove,
  withMovesFlagged,
  withReason,
} from '../../shared/work/legal-moves.ts';

const moves = legalMoves('Door.status', {
  open: ['shut', byStaff('locked')],
  shut: [withReason('open')],
  locked: [],
  'entered-in-error': [],
});

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
    ['an extension of an event', extension('event', 'It is hot')],
    ['an extension of a request', extension('request', 'It is hot')],
  ])('has its reason in %s, anew for each change', (_where, reason) => {
    expect(outcome(door('shut'), door('open', reason))).toBe('allowed');
    expect(outcome(door('shut', reason), door('open', reason))).toContain('move-needs-reason at Door.status');
  });

  it.each([{}, { statusReason: ' ' }, { statusReason: { text: ' ' } }, { statusReason: {} }, extension('event', '')])(
    'has no reason in %j',
    (none) => {
      expect(outcome(door('shut'), door('open', none))).toContain('move-needs-reason at Door.status');
    },
  );

  it('of staff is not made by a patient', () => {
    expect(outcome(door('open'), door('locked'), 'patient')).toContain('forbidden-role at Door.status');
    expect(outcome(door('open'), door('shut'), 'patient')).toBe('allowed');
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
    expect(isNewlyFlagged(door('locked'), door('open', flagged))).toBe(true);
    expect(isNewlyFlagged(door('locked', flagged), door('open', flagged))).toBe(false);
    expect(isNewlyFlagged(undefined, door('open', flagged))).toBe(false);
    expect(isNewlyFlagged(door('open', flagged), undefined)).toBe(false);
  });
});
