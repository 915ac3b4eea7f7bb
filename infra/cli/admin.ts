/** `npm run admin -- <what>`: what administrators of a deployment do, on the local server or on a stage. See docs/admin.md. */

import { runAdmin } from './admin/run-admin.ts';
import { verbs } from './admin/verbs.ts';
import { runCommand } from './command.ts';

runCommand(() =>
  runAdmin(verbs, process.argv.slice(2), { print: (text) => console.log(text), say: (text) => console.error(text) }),
);
