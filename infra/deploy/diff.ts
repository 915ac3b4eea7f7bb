import { runCommand } from '../cli/command.ts';
import { deployChoices } from './choices.ts';
import { diffStage } from './deployment.ts';
import { realSurroundings } from './surroundings.ts';

// Shows how a stage would differ from what is deployed: `npm run diff -- --stage dev`.

runCommand(async () => diffStage(deployChoices(process.argv.slice(2)).stage, realSurroundings));
