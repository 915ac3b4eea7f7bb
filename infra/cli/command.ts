/** A reason why a command cannot do its work, in words for the person at the keyboard. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/** Runs a command and sets the exit status: what the command returns, 1 if it fails. Messages go to standard error. */
export const runCommand = (main: () => Promise<number>): void => {
  // `npm run events | head` closes the pipe when it has seen enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  main().then(
    (status) => {
      process.exitCode = status;
    },
    (error: unknown) => {
      console.error(error instanceof CommandFailed ? error.message : error);
      process.exitCode = 1;
    },
  );
};
