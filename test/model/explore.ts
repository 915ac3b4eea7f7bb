/** A step that some process may take now: its name in a schedule and what the world is afterwards. */
export interface Step<S> {
  readonly name: () => string;
  readonly state: S;
}

/** A system to search through. States are plain data and are never changed in place. */
export interface System<S> {
  readonly initial: S;
  /** All steps that are possible in a state; none where everything has come to rest. */
  readonly steps: (state: S) => Step<S>[];
  /**
   * Equal states have equal keys, and no others.
   *
   * @param from - a state of which the key is known, and of which most parts are the same objects.
   */
  readonly key: (state: S, from?: { readonly state: S; readonly key: string }) => string;
  /** The name of an invariant that this state breaks. */
  readonly broken: (state: S) => string | undefined;
  /** The same for a state in which no step is possible. */
  readonly brokenAtRest: (state: S) => string | undefined;
}

/** An invariant that does not hold, and the shortest sequence of steps that shows it. */
export interface Violation {
  readonly invariant: string;
  readonly schedule: readonly string[];
}

export interface Exploration {
  readonly states: number;
  readonly steps: number;
  /** States in which nothing more can happen. */
  readonly atRest: number;
  readonly violation: Violation | undefined;
}

/** Named by a violation where processes can go on for ever: nothing promises then that they end. */
export const endless = 'every process comes to its end';

/**
 * Visits every state that can be reached, breadth first, and stops at the first that breaks an invariant: no shorter schedule breaks any.
 * Where none does it also proves that no state is ever visited twice by one schedule, hence that every schedule comes to rest.
 *
 * @param mostStates - thrown if there are more: a search that was cut short proves nothing.
 */
export const explore = <S>(system: System<S>, mostStates = 5_000_000): Exploration => {
  const { steps, key, broken, brokenAtRest } = system;
  const visited = new Map<string, number>([[key(system.initial), 0]]);
  const parents = [0];
  const choices = [0]; // which of its parent's steps led to a state
  const edges: number[] = []; // from, to, from, to …
  let level = [{ state: system.initial, key: key(system.initial) }];
  let first = 0; // number of the first state of this level; a level's states are numbered in order
  let atRest = 0;

  const result = (violation?: Violation): Exploration => ({
    states: visited.size,
    steps: edges.length / 2,
    atRest,
    violation,
  });
  const scheduleTo = (state: number): string[] => {
    const schedule: string[] = [];
    const taken: number[] = [];
    for (let at = state; at > 0; at = parents[at] ?? 0) taken.push(choices[at] ?? 0);
    let at = system.initial;
    for (const choice of taken.reverse()) {
      const step = steps(at)[choice];
      if (!step) throw new Error('A state has other steps than before');
      schedule.push(step.name());
      at = step.state;
    }
    return schedule;
  };

  const atStart = broken(system.initial);
  if (atStart) return result({ invariant: atStart, schedule: [] });
  while (level.length > 0) {
    const next: typeof level = [];
    const firstOfNext = visited.size;
    for (const [offset, parent] of level.entries()) {
      const from = first + offset;
      const possible = steps(parent.state);
      if (possible.length === 0) {
        atRest++;
        const invariant = brokenAtRest(parent.state);
        if (invariant) return result({ invariant, schedule: scheduleTo(from) });
      }
      for (const [choice, { state }] of possible.entries()) {
        const child = { state, key: key(state, parent) };
        const known = visited.get(child.key);
        edges.push(from, known ?? visited.size);
        if (known !== undefined) continue;
        const number = visited.size;
        visited.set(child.key, number);
        parents[number] = from;
        choices[number] = choice;
        const invariant = broken(state);
        if (invariant) return result({ invariant, schedule: scheduleTo(number) });
        next.push(child);
      }
    }
    if (visited.size > mostStates) throw new Error(`More than ${mostStates} states`);
    first = firstOfNext;
    level = next;
  }
  const onCircle = stateOnCircle(edges, visited.size);
  return result(onCircle === undefined ? undefined : { invariant: endless, schedule: scheduleTo(onCircle) });
};

/** A state that leads back to itself; undefined if the states can be put in an order that every step follows. */
const stateOnCircle = (edges: readonly number[], states: number): number | undefined => {
  const incoming = new Int32Array(states);
  const starts = new Int32Array(states + 1);
  for (let edge = 0; edge < edges.length; edge += 2) {
    incoming[edges[edge + 1] ?? 0]! += 1;
    starts[(edges[edge] ?? 0) + 1]! += 1;
  }
  for (let state = 0; state < states; state++) starts[state + 1]! += starts[state] ?? 0;
  // Edges were found in the order of the states that they leave, so those of one state stand together.
  const ready = [0];
  let ordered = 0;
  for (let state = ready.pop(); state !== undefined; state = ready.pop()) {
    ordered++;
    for (let edge = starts[state] ?? 0; edge < (starts[state + 1] ?? 0); edge++) {
      const to = edges[edge * 2 + 1] ?? 0;
      incoming[to]! -= 1;
      if (incoming[to] === 0) ready.push(to);
    }
  }
  if (ordered === states) return undefined;
  return incoming.findIndex((count) => count > 0);
};
