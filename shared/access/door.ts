// What opens a chart beside the patient's Consents. All times are in milliseconds since 1970. Stored as JSON, so a change of a meaning is a new layout.

/** Who keeps records has sent the patient to other organisations, or the patient has accepted them. */
export interface Referral {
  readonly kind: 'referral';
  /** Whose referral it is: it opens what this organisation keeps. */
  readonly custodian: string;
  /** The patient's own word, by the patient's token: it opens what anybody keeps. */
  readonly byPatient?: true;
  /** References to the organisations. */
  readonly to: readonly string[];
  readonly from?: number | undefined;
  /** The end that it names itself. */
  readonly until?: number | undefined;
  /** When it was done. The days of the policy are still to come. */
  readonly ended?: number | undefined;
  /** Requests, `ServiceRequest/id`, that a visit answers it by, where it is one or names some. */
  readonly names?: readonly string[] | undefined;
  /** From when on a visit that says nothing of what it is for may be meant; any time if absent. */
  readonly begins?: number | undefined;
}

/** The patient was seen by an organisation in a chart that another one keeps. */
export interface Visit {
  readonly kind: 'visit';
  readonly custodian: string;
  /** When its last version was written. */
  readonly seen: number;
  /** When it was over. */
  readonly ended?: number | undefined;
  /** When it began, where it says so. */
  readonly began?: number | undefined;
  /** Requests, `ServiceRequest/id`, that it says it was for. */
  readonly basedOn?: readonly string[] | undefined;
  /** A version of it was written by somebody who had broken the glass of the chart. */
  readonly emergency?: true;
}

/** An organisation keeps records in a chart that another one keeps. It stays, so that each finds its own among the others'. */
export interface Presence {
  readonly kind: 'presence';
  readonly organization: string;
  readonly keeper: string;
}

/** Somebody of another organisation has broken the glass: reads what others keep, for a time. */
export interface Grant {
  readonly kind: 'grant';
  /** The `sub` of the token. */
  readonly subject: string;
  readonly organization: string;
  readonly keeper: string;
  readonly from: number;
  readonly until: number;
}

/** A visit bears the label of a substance-use programme since an update of it: what named it before is the programme's, too, and does not say so. */
export interface ProgrammeVisit {
  readonly kind: 'programme-visit';
  /** `Encounter/id`. */
  readonly visit: string;
}

export type Door = Referral | Visit | Presence | Grant | ProgrammeVisit;
