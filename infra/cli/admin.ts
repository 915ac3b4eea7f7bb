/** `npm run admin -- <what>`: what administrators of a deployment do, on the local server or on a stage. See docs/admin.md. */

import { allVerbs } from './admin/all-verbs.ts';
import { runAdmin } from './admin/run-admin.ts';
import { runCommand } from './command.ts';

runCommand(() =>
  runAdmin(allVerbs, process.argv.slice(2), { print: (text) => console.log(text), say: (text) => console.error(text) }),
);
