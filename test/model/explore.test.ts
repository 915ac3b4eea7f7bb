import { describe, expect, it } from 'vitest';
import { endless, explore, type System } from './explore.ts';

/** Two counters that each process raises to two; `steps` may add more. */
const counters = (more: Partial<System<readonly number[]>> = {}): System<readonly number[]> => ({
  initial: [0, 0],
  steps: (state) =>
    state.flatMap((count, index) =>
      count < 2 ? [{ name: () => `raise ${index}`, state: state.with(index, count + 1) }] : [],
    ),
  key: (state) => state.join(),
  broken: () => undefined,
  brokenAtRest: () => undefined,
  ...more,
});

describe('explore', () => {
  it('visits each state once, by whatever schedule it is reached', () => {
    expect(explore(counters())).toEqual({ states: 9, steps: 12, atRest: 1, violation: undefined });
  });

  it('shows the shortest schedule that breaks an invariant', () => {
    const broken = ([, second]: readonly number[]) => (second === 2 ? 'the second stays below two' : undefined);

    expect(explore(counters({ broken })).violation).toEqual({
      invariant: 'the second stays below two',
      schedule: ['raise 1', 'raise 1'],
    });
  });

  it('looks at the first state too', () => {
    expect(explore(counters({ broken: () => 'never' })).violation).toEqual({ invariant: 'never', schedule: [] });
  });

  it('asks more of a state in which nothing more can happen', () => {
    const { violation } = explore(counters({ brokenAtRest: (state) => `rests at ${state.join()}` }));

    expect(violation?.invariant).toBe('rests at 2,2');
    expect(violation?.schedule).toHaveLength(4);
  });

  it('finds that a schedule need not end', () => {
    const { steps } = counters();
    const round: System<readonly number[]>['steps'] = (state) =>
      state.join() === '2,2' ? [{ name: () => 'begin again', state: [0, 1] }] : steps(state);

    expect(explore(counters({ steps: round })).violation?.invariant).toBe(endless);
  });

  it('is no proof where the search is cut short', () => {
    expect(() => explore(counters(), 8)).toThrow('More than 8 states');
  });
});
