import { runCommand } from '../cli/command.ts';
import { deployChoices } from './choices.ts';
import { deployStage } from './deployment.ts';
import { realSurroundings } from './surroundings.ts';

// Deploys a stage into the account of the credentials: `npm run deploy -- --stage dev`.

runCommand(async () => deployStage(deployChoices(process.argv.slice(2)), realSurroundings));
