import type { Question, Verdict } from '../question.ts';

/** What was in the wrong chart is another person's: nobody has it from there, in whatever version, whoever wrote it. */
export const misfiled = ({ record }: Question): Verdict => (record.misfiled ? 'misfiled' : undefined);
