/** The part of cli-progress that is used; the package has no types of its own. */
declare module 'cli-progress' {
  export interface Options {
    readonly format?: string;
    readonly stream?: NodeJS.WritableStream;
    readonly etaBuffer?: number;
  }
  export type Preset = Options;
  export const Presets: { readonly shades_classic: Preset };
  export class SingleBar {
    constructor(options: Options, preset: Preset);
    start(total: number, startValue: number): void;
    increment(step: number): void;
    stop(): void;
  }
}
