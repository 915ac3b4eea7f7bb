import { describe, expect, it } from 'vitest';
import { explore } from './explore.ts';
import { protocol } from './rules.ts';
import { needs, scenarios } from './scenarios.ts';
import { systemOf } from './system.ts';

const rules = Object.keys(protocol) as (keyof typeof protocol)[];

describe('the protocol of staged transactions keeps every invariant in every schedule', () => {
  it.each(scenarios)('of $scenario.name', ({ scenario, atLeast }) => {
    const { states, atRest, violation } = explore(systemOf(scenario));

    expect(violation).toBeUndefined();
    expect(states).toBeGreaterThan(atLeast);
    expect(atRest).toBeGreaterThan(0);
  });
});

describe('each rule of the protocol is needed:', () => {
  it.each(rules)('%s', (rule) => {
    const [scenario, invariant] = needs[rule];

    const { violation } = explore(systemOf(scenario, { ...protocol, [rule]: false }));

    expect(violation?.invariant).toBe(invariant);
    expect(violation?.schedule.length).toBeGreaterThan(2);
  });

  it('with all of them, the same scenarios break nothing', () => {
    const different = new Set(Object.values(needs).map(([scenario]) => scenario));

    for (const scenario of different) expect(explore(systemOf(scenario)).violation).toBeUndefined();
  });
});
