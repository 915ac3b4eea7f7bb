import type { Caller } from '../access/caller.ts';
import type { Visit } from '../access/door.ts';
import type { Policy } from '../access/policy.ts';
import type { InvariantsByType } from '../fhir/invariant.ts';
import type { Resource } from '../fhir/resource.ts';
import type { ResourceSchema } from '../fhir/resource-schema.ts';
import type { ValidationIssue } from '../fhir/validation-issue.ts';
import { dateInterval } from '../search/date-range.ts';
import type { RecordWrite } from '../store/commit.ts';
import type { RowChanges } from '../store/directive-rows.ts';
import type { StoredRecord } from '../store/rows.ts';
import type { Listed } from '../work/worklists.ts';
import { type SearchType, searchTypeOf } from './search-type.ts';

/** Time of an actor that a record holds: nobody else can have it. */
export interface HeldTime {
  /** Reference to the person, place or thing, as the record has it. */
  readonly actor: string;
  /** Milliseconds since 1970. */
  readonly from: number;
  /** The first millisecond that is free again. */
  readonly to: number;
  /** FHIRPath expression of what names the actor. */
  readonly expression: string;
  /** What it is held for, as `servicesOf` names it: buffers depend on that. */
  readonly services?: readonly string[];
  /** References to Slots whose time it is: they and it are one booking. */
  readonly slots?: readonly string[];
  /** When it lapses by itself, in milliseconds since 1970; never, if absent. */
  readonly until?: number;
  /** Whether somebody who may has given a reason to go beyond the actor's limits. */
  readonly beyondLimits?: boolean;
  /** For the time of a Slot, whose actor is its Schedule, for all that this has: whether bookings that name it have it, or nobody. */
  readonly as?: 'slot' | 'closed';
}

/** Whose write it is, as far as rows of access depend on that. */
export interface Writer {
  /** This server's, for absolute references. */
  readonly baseUrl: string;
  /** Whether the patient writes, by the patient's own token. */
  readonly byPatient: boolean;
  /** Whether somebody writes who acts for the patient: that opens nothing to others. */
  readonly byProxy: boolean;
  /** Reference to who writes, if that is an administrator of the organisation. */
  readonly administrator: string | undefined;
}

/** A change of what a record says. */
export interface RecordChange {
  /** `Type/id`. */
  readonly name: string;
  /** Undefined for a first version, or the one after a deletion. */
  readonly before: Resource | undefined;
  /** Undefined for a deletion. */
  readonly next: Resource | undefined;
  /** This server's, for absolute references. */
  readonly baseUrl: string;
  /** Organisation that keeps it. */
  readonly custodian: string;
  /** What the network has agreed on. */
  readonly policy: Policy;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** What a change calls for, to be written by the same transaction for the same organisation, by its own system. */
export type Raised =
  | {
      /** A record to begin, */
      readonly opens: Resource;
      /** but only if the same change calls for one of these besides; always if absent. */
      readonly ifChanged?: (resource: Resource) => boolean;
      /** or only if it calls for none of these. */
      readonly unlessChanged?: (resource: Resource) => boolean;
    }
  | {
      /** The type of records of the chart that may have to change, */
      readonly of: 'AllergyIntolerance' | 'Appointment' | 'CommunicationRequest' | 'MedicationRequest' | 'Task';
      /** and what each is to say; undefined for one that stays as it is. */
      readonly changes: (resource: Resource) => Resource | undefined;
    }
  | {
      /** `Type/id` of one record of the same type, and what it is to say beside its content: its `meta` alone changes. */
      readonly on: string;
      readonly changes: (resource: Resource) => Resource;
    }
  | {
      /** The type of records of the chart of which the writer is warned, */
      readonly warnsOf: 'Condition';
      /** where one that the writer may see is such, */
      readonly where: (resource: Resource) => boolean;
      readonly warning: ValidationIssue;
    }
  | {
      /** `ServiceRequest/id` of each order that needs a specimen again, */
      readonly specimenFor: readonly string[];
      /** because this one, `Specimen/id`, is of no use. */
      readonly insteadOf: string;
    }
  | {
      /** `ServiceRequest/id` of what it is the answer to, whoever keeps that, */
      readonly request: string;
      /** and whether it is so from now on, or no more. */
      readonly answer: 'given' | 'withdrawn';
    }
  | {
      /** It is a result that may be critical, or that says something else than what somebody may have reviewed. */
      readonly result: 'new' | 'changed';
    };

export interface RecordTypeDefinition {
  readonly name: string;
  readonly schema: ResourceSchema;
  readonly invariants: InvariantsByType;
  /** Rules of Concord about the record, beside those of R4; they only warn. */
  readonly advice?: InvariantsByType[string];
  /** What it can be searched by, as generated (`observationSearchTable`). */
  readonly searchTable: string;
  /** Which of its elements are in summaries, as generated (`observationElements`). */
  readonly elements: string;
  /** Date parameter that orders the type's records within a chart; the time of creation where there is none. */
  readonly date?: string;
  /** Written by Concord alone: clients may only read and search. */
  readonly readOnly?: boolean;
  /** Rows of the chart that say what a version permits other organisations and forbids them. Not asked of what is in no chart. */
  readonly accessRows?: (write: Pick<RecordWrite, 'next' | 'previous'>, writer: Writer) => RowChanges;
  /**
   * Requires that somebody may make this of what a record says, or delete it.
   *
   * @param before - undefined for a first version, or the one after a deletion.
   * @throws RecordError.
   */
  readonly requireChange?: (before: Resource | undefined, next: Resource | undefined, caller: Caller) => void;
  /**
   * What the server itself keeps in a version, such as the states that there were: the version with that in it.
   *
   * @param before - undefined for a first version, or the one after a deletion.
   * @param now - milliseconds since 1970.
   * @param caller - who writes: the organisation's own system imports what others have kept.
   */
  readonly keeps?: (before: Resource | undefined, next: Resource, now: number, caller: Caller) => Resource;
  /** What the server itself says of a version by its tags: the version with that, whatever `$meta-add` and `$meta-delete` make of them. */
  readonly tags?: (version: Resource) => Resource;
  /** What a change calls for in the same transaction. Facts that need somebody's eye are not refused: a Task tells of them. */
  readonly raises?: (change: RecordChange) => readonly Raised[];
  /** Whether a change says something new of what the patient takes or should not take, so that orders are checked in the same transaction; or uses an order, which then has to bear it. */
  readonly callsForCheck?: (before: Resource | undefined, next: Resource) => boolean;
  /** Whether a version asks a payer for something now, which a patient may have restricted. What was asked long ago is a fact. */
  readonly asksPayer?: (resource: Resource, now: number) => boolean;
  /** The lists in which a version stands as something to be done. */
  readonly worklists?: (record: StoredRecord) => readonly Listed[];
  /** Whether a change does nothing but end what a record says, which a patient may do whoever wrote it. */
  readonly isWithdrawal?: (before: Resource, next: Resource) => boolean;
  /** Rows by which a version lets somebody act for its organisation. */
  readonly grantRows?: (write: Pick<RecordWrite, 'next' | 'previous'>, writer: Writer) => RowChanges;
  /** Rows that every process of the network knows by heart. */
  readonly networkRows?: (write: Pick<RecordWrite, 'next' | 'previous'>) => RowChanges;
  /** Rows beside the calendars of actors. */
  readonly actorRows?: (write: Pick<RecordWrite, 'next' | 'previous'>, writer: Writer) => RowChanges;
  /** Whether a version tells that its organisation has seen the patient. */
  readonly visitOf?: (record: StoredRecord) => Visit | undefined;
  /** Which time of whom a record of this type holds. */
  readonly heldTime?: (resource: Resource) => readonly HeldTime[];
}

/** All that Concord knows of a record type. Handlers, routes, search and the capability statement derive from it. */
export interface RecordType extends SearchType, Omit<RecordTypeDefinition, 'searchTable'> {
  readonly readOnly: boolean;
  /** Those of R4 with those of Concord. */
  readonly rules: InvariantsByType;
  /** Clinical date in milliseconds since 1970, if the record has one. */
  readonly dateOf: (resource: Resource) => number | undefined;
}

/** Completes a definition with what follows from it. */
export const defineRecordType = ({ searchTable, ...definition }: RecordTypeDefinition): RecordType => {
  const searchType = searchTypeOf(definition.name, searchTable, definition.elements);
  const { name, invariants, advice } = definition;
  const date = definition.date === undefined ? undefined : searchType.parameter(definition.date);
  if (definition.date !== undefined && !date) throw new Error(`${definition.name} has no parameter ${definition.date}`);
  return {
    ...definition,
    ...searchType,
    readOnly: definition.readOnly ?? false,
    rules: advice ? { ...invariants, [name]: [...(invariants[name] ?? []), ...advice] } : invariants,
    dateOf: (resource) =>
      date
        ?.values(resource)
        .map(({ value }) => startOf(value))
        .find((start) => start !== undefined),
  };
};

/** Start of a date, a Period or the bounds of a Timing. */
const startOf = (value: unknown): number | undefined => {
  if (typeof value === 'string') return dateInterval(value)?.start;
  const { start, repeat } = value as { start?: string; repeat?: { boundsPeriod?: { start?: string } } };
  const text = start ?? repeat?.boundsPeriod?.start;
  return text === undefined ? undefined : dateInterval(text)?.start;
};
