// Commits of more than one DynamoDB transaction, and what is met of them. Most processes meet none.
export { resolveStaged } from './settle-transaction.ts';
export { writeStaged } from './staged-transaction.ts';
