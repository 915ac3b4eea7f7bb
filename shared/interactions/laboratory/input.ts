import type { InputDefinition } from '../operation-input.ts';

/** Input of `DiagnosticReport/$file`: a report with what belongs to it, whose it is, and the filler's count of messages about it. */
export const fileInput = {
  report: { type: 'Resource', min: 1 },
  result: { type: 'Resource', many: true },
  specimen: { type: 'Resource', many: true },
  patient: { type: 'Resource' },
  version: { type: 'positiveInt' },
} as const satisfies Readonly<Record<string, InputDefinition>>;

/** Input of `DiagnosticReport/{id}/$resolve`: whose the report is. */
export const resolveInput = { patient: { type: 'Reference', min: 1 } } as const satisfies Readonly<
  Record<string, InputDefinition>
>;
