import type { Random } from '../naive-search/random.ts';
import type { ValidRequest } from './valid-requests.ts';
import type { HostileWorld } from './world.ts';

/** Stands in every value that a mutation writes where letters are free: what is refused must not come back. */
export const marker = 'zebrafinch';

/** A request with one thing broken in it. */
export interface Mutated {
  readonly request: ValidRequest;
  /** In words, without what was written. */
  readonly what: string;
  /** Where: parameters, headers or elements, any of which a refusal may name. */
  readonly places: readonly string[];
}

/** Breaks one thing, or undefined if the request has nothing of that kind. */
export type Mutation = (request: ValidRequest, random: Random, world: HostileWorld) => Mutated | undefined;
