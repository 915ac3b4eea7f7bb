import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

const project = new URL('../..', import.meta.url).pathname;

/** What esbuild makes of a function that checks one type. */
const bundle = async (type: string): Promise<string> => {
  const name = type.charAt(0).toLowerCase() + type.slice(1);
  const result = await build({
    stdin: {
      contents: [
        `import { ${name}Schema } from './shared/fhir/generated/schemas/${type}.ts';`,
        "import { validateStructure } from './shared/fhir/validate.ts';",
        `export const check = (resource) => validateStructure(${name}Schema, resource);`,
      ].join('\n'),
      resolveDir: project,
    },
    bundle: true,
    minify: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    mainFields: ['module', 'main'],
  });
  return result.outputFiles[0]?.text ?? '';
};

describe('the bundle of a function', () => {
  it('holds the schema of its own type and of no other', async () => {
    const ofPatient = await bundle('Patient');
    const ofObservation = await bundle('Observation');

    expect(ofPatient).toContain('multipleBirth[x]');
    expect(ofPatient).not.toContain('dataAbsentReason');
    expect(ofPatient).not.toContain('http://hl7.org/fhir/ValueSet/observation-status');
    expect(ofObservation).toContain('dataAbsentReason');
    expect(ofObservation).not.toContain('multipleBirth');
    expect(ofObservation).not.toContain('http://hl7.org/fhir/ValueSet/link-type');
  });

  it('stays small: schema, datatypes and what checks them in 50 KB', async () => {
    expect((await bundle('Patient')).length).toBeLessThan(50_000);
    expect((await bundle('ExplanationOfBenefit')).length).toBeLessThan(50_000);
  });
});
