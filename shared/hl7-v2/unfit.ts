/** Why a message, or a part of it, is not what it should be. */
export type UnfitReason =
  | 'header' // no MSH, or one without what an answer needs
  | 'batch' // several messages in one
  | 'character-set' // letters that are not understood
  | 'message-type' // a kind of message that is not taken
  | 'event' // an event that is not taken
  | 'processing-id' // a test message for real charts, or the other way round
  | 'version' // of HL7
  | 'control-id-reused' // the same control id, and another message
  | 'sender-unknown' // nobody has said how to read the messages of this sender
  | 'sender-configuration' // what was said of the sender is not understood
  | 'field-missing'
  | 'field-form' // a field is not of its type
  | 'code-unknown' // a code that its table does not have
  | 'patient-unidentified' // no identifier of an authority that is known
  | 'patient-unknown' // nobody has the identifier
  | 'patient-ambiguous' // several have it, or somebody may be this patient already
  | 'not-filed'; // a rule stands against it; the refusal's code tells which

/** A message, or a part of one, that is not what it should be. What it says holds no patient data. */
export class Unfit extends Error {
  override readonly name = 'Unfit';
  readonly reason: UnfitReason;
  /** The field, such as `PID-7`, or the segment. */
  readonly at: string;
  /** Code of the refusal that stands behind it. */
  readonly code: string | undefined;

  constructor(reason: UnfitReason, message: string, at: string, code?: string) {
    super(message);
    this.reason = reason;
    this.at = at;
    this.code = code;
  }
}
