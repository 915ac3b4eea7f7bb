import type { Caller } from '../access/caller.ts';
import { RecordError } from '../errors.ts';
import { stringifyJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/resource.ts';
import { type RecordFlag, withFlag } from './flags.ts';

/** A state that may follow another one. */
export interface Move<S extends string = string> {
  readonly to: S;
  /** That somebody says why, with the change. */
  readonly needs?: 'reason';
}

type Moves<S extends string> = readonly (S | Move<S>)[];

/** Which states of a record may follow which. Read as tables in docs/work.md. */
export interface LegalMoves {
  /** `Type.element` that tells the state. */
  readonly element: string;
  readonly stateOf: (resource: Resource) => string | undefined;
  readonly from: ReadonlyMap<string, readonly Move[]>;
  /** Those of them that a patient may make; all, if absent. */
  readonly byPatients?: Readonly<Record<string, readonly string[]>> | undefined;
}

const withdrawn = 'entered-in-error';

/**
 * The legal moves of a type. What was entered in error can be said so in every state, and stays so: the right record is a new one.
 *
 * @param element - `Type.element` of a code, or of a CodeableConcept that holds one.
 * @param table - every state, and those that may follow it.
 * @param byPatients - those that may follow it where a patient writes.
 */
export const legalMoves = <S extends string>(
  element: string,
  table: Readonly<Record<S, Moves<NoInfer<S>>>>,
  byPatients?: Readonly<Partial<Record<S, readonly NoInfer<S>[]>>>,
): LegalMoves => {
  const states = Object.keys(table) as S[];
  const name = element.slice(element.indexOf('.') + 1);
  const from = states.map((state): [string, readonly Move[]] => [
    state,
    [
      ...table[state].map((move) => (typeof move === 'string' ? { to: move } : move)),
      ...(withdrawn in table && state !== withdrawn ? [{ to: withdrawn }] : []),
    ],
  ]);
  return {
    element,
    stateOf: (resource) => stateIn(resource[name], table),
    from: new Map(from),
    byPatients: byPatients as LegalMoves['byPatients'],
  };
};

/** A move that needs somebody to say why. */
export const withReason = <S extends string>(to: S): Move<S> => ({ to, needs: 'reason' });

/** A code that the table does not know, as a concept may have, follows and is followed by any. */
const stateIn = (value: unknown, table: object): string | undefined => {
  if (typeof value !== 'object') return value as string | undefined;
  const { coding = [] } = (value ?? {}) as fhir4.CodeableConcept;
  return coding.find(({ code = '' }) => code in table)?.code ?? '';
};

type Judged = 'legal' | 'illegal' | 'needs-reason' | 'by-staff';

const judged = (
  { stateOf, from, byPatients }: LegalMoves,
  before: Resource | undefined,
  next: Resource,
  { isPatient = false } = {},
): Judged => {
  const was = before && stateOf(before);
  const is = stateOf(next);
  if (!before || was === is || was === undefined || !from.has(was) || (is !== undefined && !from.has(is)))
    return 'legal';
  const move = from.get(was)?.find(({ to }) => to === is);
  if (!move) return 'illegal';
  if (move.needs && !isNewReason(before, next)) return 'needs-reason';
  return isPatient && byPatients && !byPatients[was]?.includes(move.to) ? 'by-staff' : 'legal';
};

/**
 * Requires that what a record becomes may follow from what it was. A first version may be in any state, as one that is deleted may. An organisation's own system tells what
 * happened elsewhere, and is not refused: see `withMovesFlagged`.
 *
 * @param before - undefined for a first version.
 * @param next - undefined for a deletion.
 * @throws RecordError `business-rule`, with the moves that are possible; `forbidden` to a patient for what staff do.
 */
export const requireLegalMove = (
  moves: LegalMoves,
  before: Resource | undefined,
  next: Resource | undefined,
  { roles }: Pick<Caller, 'roles'>,
): void => {
  if (!before || !next || roles.includes('system')) return;
  const { element, stateOf, from } = moves;
  const was = stateOf(before) ?? '';
  switch (judged(moves, before, next, { isPatient: roles.includes('patient') })) {
    case 'illegal': {
      const possible = (from.get(was) ?? []).map(inWords).join(', ');
      throw new RecordError(
        'business-rule',
        `What is ${was} cannot become ${stateOf(next) ?? 'without a state'}. It can become: ${possible || 'nothing else'}`,
        { reason: 'illegal-move', expression: element },
      );
    }
    case 'needs-reason':
      throw new RecordError(
        'business-rule',
        `What is ${was} becomes ${stateOf(next)} for a reason that is given with the change`,
        { reason: 'move-needs-reason', expression: element },
      );
    case 'by-staff':
      throw new RecordError('forbidden', `Staff say that it is ${stateOf(next)}`, {
        reason: 'forbidden-role',
        expression: element,
      });
    case 'legal':
  }
};

/** A move as the tables in docs/work.md have it. */
export const inWords = ({ to, needs }: Move): string => `${to}${needs ? ' with a reason' : ''}`;

/** A version says itself that its state does not follow from the one before. */
export const irregularMove: RecordFlag = {
  system: 'https://concord.example/fhir/CodeSystem/work',
  code: 'irregular-move',
  display: 'Its state does not follow from the one before',
};

/** A version with a flag if its move, or an earlier one, was not legal: facts are stored all the same. */
export const withMovesFlagged = (moves: LegalMoves, before: Resource | undefined, next: Resource): Resource =>
  withFlag(irregularMove, { before, next, earned: judged(moves, before, next) !== 'legal' });

/** https://hl7.org/fhir/R4/extension-event-statusreason.html, https://hl7.org/fhir/R4/extension-request-statusreason.html */
const reasonExtension = /^http:\/\/hl7\.org\/fhir\/StructureDefinition\/(?:event|request)-statusReason$/;

/** Why a version is as it is, as one text; empty where nobody says. */
export const reasonOf = (resource: Resource): string => {
  const { statusReason, statusReasonCodeableConcept, statusReasonReference, extension } = resource as {
    statusReason?: unknown;
    statusReasonCodeableConcept?: unknown;
    statusReasonReference?: unknown;
    extension?: fhir4.Extension[];
  };
  const given =
    statusReason ??
    statusReasonCodeableConcept ??
    statusReasonReference ??
    extension?.find(({ url }) => reasonExtension.test(url))?.valueCodeableConcept;
  if (typeof given === 'string') return given.trim();
  const says = [given ?? []]
    .flat()
    .some(
      ({ text = '', coding = [], reference }: fhir4.CodeableConcept & fhir4.Reference) =>
        text.trim() || coding[0] || reference,
    );
  return says ? stringifyJson(given) : '';
};

/** The reason of an earlier change is none for this one. */
export const isNewReason = (before: Resource, next: Resource): boolean => {
  const reason = reasonOf(next);
  return reason !== '' && reason !== reasonOf(before);
};
