/**
 * `npm run prove:model -- [words]`: searches the larger scenarios of the staged transaction's model, all of them or those whose names
 * have these words. It takes minutes, and up to 4 GB of memory. Exit status 0 only if no schedule breaks an invariant.
 */
import { explore } from '../model/explore.ts';
import { largerScenarios } from '../model/scenarios.ts';
import { systemOf } from '../model/system.ts';

const mostStates = 10_000_000;

const words = process.argv.slice(2).join(' ');
const chosen = new Map(largerScenarios.filter(({ name }) => name.includes(words)).map((each) => [each.name, each]));
let [states, broken] = [0, 0];
const started = Date.now();
for (const scenario of chosen.values()) {
  const found = explore(systemOf(scenario), mostStates);
  states += found.states;
  console.log(`${found.states.toLocaleString('en').padStart(12)} states  ${scenario.name}`);
  if (!found.violation) continue;
  broken++;
  console.log(`  ${found.violation.invariant}:\n${found.violation.schedule.map((step) => `    ${step}`).join('\n')}`);
}
const seconds = Math.round((Date.now() - started) / 1000);
console.log(`${chosen.size} scenarios, ${states.toLocaleString('en')} states, ${seconds} s: ${broken} broken`);
process.exit(broken === 0 && chosen.size > 0 ? 0 : 1);
