import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { evidencePage } from '../compliance/evidence/page.ts';
import { resourcesIn } from '../compliance/rules/rule.ts';
import { templatesOf } from '../compliance/templates-of.ts';
import { stageNamed } from '../stages.ts';

// `npm run evidence`: writes docs/evidence.md from the templates of production.

const stage = stageNamed('production');
const file = path.resolve(import.meta.dirname, '../../docs/evidence.md');
writeFileSync(file, evidencePage(resourcesIn(templatesOf(stage)), stage));
console.log(`Written: ${path.relative(process.cwd(), file)}`);
