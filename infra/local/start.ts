/**
 * `npm start`: all of Concord on this machine. PORT (3000), DATA_DIR (.data), DYNAMODB_ENDPOINT, SHARING (opt-in), KNOWLEDGE_PACK (a file); `-- --reset` begins anew,
 * `-- --demo` fills in patients.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { CannotStart } from './cannot-start.ts';
import type { Concord } from './concord.ts';
import { whenNpmEnds } from './npm-parent.ts';
import { localPassword, organizations, patientUsername, proxyUsername, staffRoles } from './users.ts';

/** Longest time from Ctrl-C to the end, in milliseconds. */
const stopWithinMs = 1_900;

const settings = () => {
  let values: { reset?: boolean; demo?: boolean };
  try {
    ({ values } = parseArgs({ options: { reset: { type: 'boolean' }, demo: { type: 'boolean' } } }));
  } catch (error) {
    throw new CannotStart(`${(error as Error).message}\nUsage: npm start [-- [--reset] [--demo]]`);
  }
  const port = Number(process.env.PORT ?? '3000');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new CannotStart(`PORT is a number from 1 to 65535, not "${process.env.PORT}".`);
  }
  const sharing = process.env.SHARING || 'opt-in';
  if (sharing !== 'opt-in' && sharing !== 'treatment') {
    throw new CannotStart(`SHARING is "opt-in" or "treatment", not "${sharing}".`);
  }
  return {
    port,
    policy: { sharing },
    dataDir: path.resolve(process.env.DATA_DIR || '.data'),
    dynamoDbEndpoint: process.env.DYNAMODB_ENDPOINT || undefined,
    knowledgePack: process.env.KNOWLEDGE_PACK ? path.resolve(process.env.KNOWLEDGE_PACK) : undefined,
    reset: values.reset ?? false,
    demo: values.demo ?? false,
  };
};

/** Today by the clock of this machine, such as `2026-11-24`. */
const localDate = (now = new Date()) =>
  [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, '0')).join('-');

const welcome = ({ url, port, userPools }: Concord, { dataDir, demo }: { dataDir: string; demo: boolean }) => {
  const relative = path.relative('', dataDir);
  const environment = port === 3000 ? '' : `PORT=${port} `;
  const curl = `curl -H "Authorization: Bearer $(${environment}npm run -s token -- physician@northside.example)"`;
  const patient = userPools.hasPatient()
    ? `\n  or ${patientUsername}, who sees one chart, and ${proxyUsername}, who acts for a child`
    : '';
  const hasDemo = patient !== '';
  const missing = demo && patient === '' ? '\nThere are patients already, so no demo patients were added.\n' : '';
  const anew = demo ? '-- --reset --demo' : '-- --reset';
  return `
Concord is ready at ${url}

Sign in with the password "${localPassword}" as
  <role>@${organizations.map(({ id }) => `${id}.example`).join(' or <role>@')}
  roles: ${[...staffRoles, 'system'].join(', ')}${patient}
${missing}
Try it:
  ${curl} ${hasDemo ? `'${url}/Appointment?date=${localDate()}'` : `${url}/Practitioner`}
  or open ${url.replace(/fhir$/, '')} in a browser

More: ${environment}npm run events · ${environment}npm run import -- <file or folder>
Ctrl-C stops it. Its data stays in ${relative === '' || relative.startsWith('..') ? dataDir : relative}; npm start ${anew} begins anew.
`;
};

const main = async () => {
  let concord: Concord | undefined;
  let stopping = false;
  const stop = () => {
    if (stopping) process.exit(1); // asked twice
    stopping = true;
    setTimeout(() => process.exit(1), stopWithinMs).unref();
    if (!concord) process.exit(0); // what was started so far ends with this process
    concord.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  whenNpmEnds(stop);
  // The terminal may be gone while something is printed.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

  const options = settings();
  // Requests are logged at level INFO; at the keyboard, only what goes wrong is of interest. The logger looks when it is loaded.
  process.env.POWERTOOLS_LOG_LEVEL ??= 'WARN';
  const { startConcord } = await import('./concord.ts');
  concord = await startConcord(options);
  console.log(welcome(concord, options));
  void concord.lost.then(() => {
    console.error(
      '\nThe embedded DynamoDB has ended, so Concord ends too. Its data is kept: npm start goes on with it.\n',
    );
    process.exit(1);
  });
};

main().catch((error: unknown) => {
  console.error(error instanceof CannotStart ? `\n${error.message}\n` : error);
  process.exit(1);
});
