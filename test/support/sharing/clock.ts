/** Moments of one process, each later than all before it: what caused what is told by them alone. In milliseconds since the start. */
export type Moments = () => number;

export const moments = (): Moments => {
  let last = 0;
  return () => {
    last = Math.max(performance.now(), last + 1e-6);
    return last;
  };
};
