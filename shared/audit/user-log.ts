import type { Asking } from '../access/question.ts';

/** Names the log of a user: of signing in and out, and of what was refused before any record was looked at. */
export const userLog = (subject: string): string => `user|${subject}`;

/** Where what concerns no record of a chart is told of who asks: to patients in their own chart, of others in a log of the user. */
export const logOfAsking = ({ chart, caller }: Asking): string => chart ?? userLog(caller.subject);
