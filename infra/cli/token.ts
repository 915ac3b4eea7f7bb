/** `npm run -s token -- <user>`: prints an access token for a user of the running server, and nothing else. */
import { parseArgs } from 'node:util';
import { localPassword, localUsers } from '../local/users.ts';
import { CommandFailed, runCommand } from './command.ts';
import { findRunningServer } from './running-server.ts';
import { signIn } from './sign-in.ts';

const usage = [
  'Usage: npm run -s token -- <user> [--password <password>]',
  `Users: ${localUsers.map(({ username }) => username).join(', ')}`,
].join('\n');

const options = () => {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { password: { type: 'string' } } });
    const [username, ...more] = positionals;
    if (username && more.length === 0) return { username, password: values.password ?? localPassword };
  } catch {
    // An unknown option: the usage says more than the parser does.
  }
  throw new CommandFailed(usage);
};

runCommand(async () => {
  const { username, password } = options();
  const { accessToken } = await signIn(await findRunningServer(), username, password);
  console.log(accessToken);
  return 0;
});
