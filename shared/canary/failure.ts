/** A step of the day that did not go as it should. Its message names the step and what was wrong, and quotes nothing. */
export class CanaryFailed extends Error {
  override readonly name = 'CanaryFailed';
  readonly step: string;

  /** @param what - such as `answered 503`. */
  constructor(step: string, what: string) {
    super(`${step}: ${what}`);
    this.step = step;
  }
}
