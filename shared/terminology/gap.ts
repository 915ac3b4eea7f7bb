/** What is not known here or cannot be evaluated, so that a question is not answered. The message names what is missing, never a code. */
export class TerminologyGap extends Error {
  override readonly name = 'TerminologyGap';
}
