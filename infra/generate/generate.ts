import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { generateApiDescription } from './api-description.ts';
import { generateInvariantDocs, generateInvariants } from './invariants.ts';
import { generateProfiles } from './profiles.ts';
import { generateSchemas } from './schemas.ts';
import { generateSearchParameters } from './search-parameters.ts';
import { generateTerminology } from './terminology.ts';
import { generateUcumUnits } from './ucum-units.ts';

const project = resolve(import.meta.dirname, '../..');

/** Where the generated files are kept. */
export const generatedDirectory = join(project, 'shared/fhir/generated');

/** Content by path relative to the directory of generated files. */
type Files = Record<string, string>;

const write = (directory: string, files: Files): void => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
};

/** All files in a directory and below. */
export const filesIn = (directory: string): Files => {
  const files: Files = {};
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[relative(directory, path)] = readFileSync(path, 'utf8');
  }
  return files;
};

/** Formats as `npm run format` would. */
const formatted = (files: Files): Files => {
  const directory = mkdtempSync(join(tmpdir(), 'generated-'));
  try {
    const {
      formatter,
      javascript,
      assist,
      files: limits,
      linter,
    } = JSON.parse(readFileSync(join(project, 'biome.json'), 'utf8')) as Record<string, unknown>;
    // without version control, whose ignore files Biome seeks around the files
    const configuration = { root: true, formatter, javascript, assist, linter, files: limits };
    write(directory, { ...files, 'biome.json': JSON.stringify(configuration) });
    const biome = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');
    // twice: a line that the first pass breaks may be indented by the second alone
    for (let pass = 1; pass <= 2; pass += 1) {
      execFileSync(process.execPath, [biome, 'check', '--write', '--reporter=summary', '.'], {
        cwd: directory,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    }
    const { 'biome.json': _, ...result } = filesIn(directory);
    return result;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

/** Everything that is generated from the definitions of R4 and US Core, formatted, by path relative to `generatedDirectory`. */
export const generate = (): Files =>
  formatted({
    ...generateSchemas(),
    ...generateSearchParameters(),
    ...generateInvariants(),
    ...generateUcumUnits(),
    ...generateTerminology(),
    ...generateProfiles(),
    ...generateApiDescription(),
  });

/** Writes generated files into a directory that holds nothing else, and removes the others in it. */
const replaceFiles = (directory: string, files: Files): void => {
  mkdirSync(directory, { recursive: true });
  for (const path of Object.keys(filesIn(directory))) {
    if (files[path] === undefined) rmSync(join(directory, path));
  }
  write(directory, files);
};

/** The table of invariants, for people. */
export const invariantDocs = join(project, 'docs/invariants.md');

if (import.meta.main) {
  const directory = process.argv[2] ?? generatedDirectory;
  const files = generate();
  replaceFiles(directory, files);
  if (directory === generatedDirectory) writeFileSync(invariantDocs, generateInvariantDocs());
  process.stdout.write(`Generated ${Object.keys(files).length} files in ${relative(process.cwd(), directory)}\n`);
}
