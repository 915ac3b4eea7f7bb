import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { familyHistoryMoves, immunizationMoves, procedureMoves } from '../../shared/histories/performed-moves.ts';
import {
  allergyMoves,
  allergyVerificationMoves,
  conditionMoves,
  conditionVerificationMoves,
} from '../../shared/histories/statuses.ts';
import { observationMoves, reportMoves, specimenMoves } from '../../shared/laboratory/states.ts';
import { carePlanMoves } from '../../shared/plans/care-plan-moves.ts';
import { careTeamMoves } from '../../shared/plans/care-team-moves.ts';
import { achievementMoves, goalMoves } from '../../shared/plans/goal-moves.ts';
import { administrationMoves } from '../../shared/prescriptions/administration-moves.ts';
import { dispenseMoves } from '../../shared/prescriptions/dispense-moves.ts';
import { orderMoves } from '../../shared/prescriptions/order-moves.ts';
import { renewable } from '../../shared/prescriptions/renewals.ts';
import { statementMoves } from '../../shared/prescriptions/statement-moves.ts';
import { appointmentMoves } from '../../shared/scheduling/appointment-moves.ts';
import { encounterMoves } from '../../shared/visits/encounter-moves.ts';
import { communicationMoves } from '../../shared/work/communication-moves.ts';
import { communicationRequestMoves } from '../../shared/work/communication-request-moves.ts';
import { inWords } from '../../shared/work/legal-moves.ts';
import { forFrontDesk } from '../../shared/work/message-pools.ts';
import { ownMoves } from '../../shared/work/own-task.ts';
import { serviceRequestMoves } from '../../shared/work/service-request-moves.ts';
import { taskMoves } from '../../shared/work/task-moves.ts';

const document = ['work', 'prescriptions', 'dispensing', 'histories', 'laboratory']
  .map((name) => readFileSync(path.resolve(import.meta.dirname, `../../docs/${name}.md`), 'utf8'))
  .join('\n');

/** Rows of the table that begins with a heading. */
const rowsUnder = (heading: string): string[][] => {
  const lines = document.split('\n');
  const first = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  const end = lines.findIndex((line, index) => index > first && !line.startsWith('|'));
  return lines.slice(first + 2, end).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
};

const ownMovesFrom = (state: string): readonly string[] => ownMoves[state as fhir4.Task['status']] ?? [];

describe('docs/work.md, docs/prescriptions.md, docs/dispensing.md and docs/histories.md', () => {
  const tables = [
    appointmentMoves,
    encounterMoves,
    taskMoves,
    serviceRequestMoves,
    orderMoves,
    dispenseMoves,
    administrationMoves,
    statementMoves,
    carePlanMoves,
    careTeamMoves,
    goalMoves,
    achievementMoves,
    communicationMoves,
    communicationRequestMoves,
    conditionMoves,
    conditionVerificationMoves,
    allergyMoves,
    allergyVerificationMoves,
    immunizationMoves,
    procedureMoves,
    familyHistoryMoves,
    reportMoves,
    observationMoves,
    specimenMoves,
  ];

  it.each(tables)('says what may become of $element as the code does', ({ element, from, byPatients }) => {
    expect(rowsUnder(element)).toEqual(
      [...from].map(([state, moves]) => [
        state,
        moves.map(inWords).join(', ') || 'nothing',
        ...(byPatients ? [byPatients[state]?.join(', ') ?? 'nothing'] : []),
        ...(element === 'Task.status' ? [ownMovesFrom(state).join(', ') || 'nothing'] : []),
      ]),
    );
  });

  it('lets support staff make no move of a task that nobody may make, and none that needs a reason', () => {
    for (const state of taskMoves.from.keys()) {
      const legal = (taskMoves.from.get(state) ?? []).filter(({ needs }) => !needs).map(({ to }) => to);
      expect(
        ownMovesFrom(state).filter((to) => !legal.includes(to)),
        state,
      ).toEqual([]);
    }
    expect(Object.keys(ownMoves).filter((state) => !taskMoves.from.has(state))).toEqual([]);
  });

  it('says what becomes of an order that is renewed', () => {
    const became: Readonly<Record<string, { asItWas: string; changed: string }>> = renewable;
    expect(rowsUnder('an order that is')).toEqual(
      [...orderMoves.from.keys()].map((state) => {
        const to = became[state];
        return to ? [state, to.asItWas, to.changed, ''] : [state, '', '', '`not-renewable`'];
      }),
    );
  });

  it('says which messages are for the front desk', () => {
    const rows = rowsUnder('what it is about, by');
    expect(rows).toEqual([
      ...forFrontDesk.map(({ system, code }) => [`\`${system}\\|${code}\``, 'front desk']),
      ['anything else, or nothing', 'nurses'],
    ]);
  });
});
