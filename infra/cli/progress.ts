import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  readonly advance: (steps: number) => void;
  readonly finish: () => void;
}

/** A bar at a terminal; elsewhere, such as in the log of a build, a line for each tenth. */
export const startProgress = (total: number, output: NodeJS.WriteStream = process.stderr): Progress =>
  output.isTTY ? bar(total, output) : lines(total, output);

const bar = (total: number, stream: NodeJS.WriteStream): Progress => {
  const shown = new SingleBar(
    { format: '{bar} {percentage}%  {value} of {total}  {eta_formatted} left', stream, etaBuffer: 200 },
    Presets.shades_classic,
  );
  shown.start(total, 0);
  return { advance: (steps) => shown.increment(steps), finish: () => shown.stop() };
};

const lines = (total: number, stream: NodeJS.WriteStream): Progress => {
  let value = 0;
  let told = 0;
  return {
    advance: (steps) => {
      value += steps;
      const tenth = Math.floor((10 * value) / Math.max(total, 1));
      if (tenth > told) stream.write(`${value} of ${total}\n`);
      told = Math.max(told, tenth);
    },
    finish: () => undefined,
  };
};
