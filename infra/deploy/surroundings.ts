import { confirmOnTerminal, type Surroundings } from './deployment.ts';
import { deployFolder, synthesiseInto } from './run-cdk.ts';
import { smoke } from './smoke.ts';
import { workingCopy } from './working-copy.ts';

/** Git, CDK, the account and the terminal. */
export const realSurroundings: Surroundings = {
  workingCopy,
  synthesise: synthesiseInto,
  deploy: deployFolder,
  smoke,
  confirm: confirmOnTerminal,
  say: (line) => console.log(line),
};
