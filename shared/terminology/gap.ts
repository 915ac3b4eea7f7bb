/** What is not known here or cannot be evaluated, so that a question is not answered. The message names what is missing, never a code. */
export class TerminologyGap extends Error {
  /** By its name: code that is loaded later, from a file of its own, brings a class of its own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'TerminologyGap';
  }

  override readonly name = 'TerminologyGap';
}
