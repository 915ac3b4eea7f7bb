import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { billOfMaterials, licencesIn } from '../sbom/bill-of-materials.ts';
import type { Locked } from '../sbom/lockfile.ts';

// `npm run sbom`: writes the bills of materials, of what is deployed and of what builds it, from package-lock.json, and lists their licences.

const root = path.resolve(import.meta.dirname, '../..');
const { values } = parseArgs({ options: { output: { type: 'string', default: path.join(root, 'sbom') } } });
const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as { packages: Locked };

mkdirSync(values.output, { recursive: true });
for (const part of ['production', 'build'] as const) {
  const bill = billOfMaterials(packages, part);
  const file = path.join(values.output, `${part}.cdx.json`);
  writeFileSync(file, `${JSON.stringify(bill, undefined, 2)}\n`);
  console.log(`${path.relative(process.cwd(), file)}: ${bill.components.length} packages`);
  for (const [licence, count] of licencesIn(bill)) console.log(`  ${String(count).padStart(4)}  ${licence}`);
}
