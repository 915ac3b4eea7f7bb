/** A reason why the local stack cannot start or run on, in words for the person at the keyboard. Printed without a stack. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}
