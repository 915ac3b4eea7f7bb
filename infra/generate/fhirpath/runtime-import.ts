import * as runtime from '../../../shared/fhir/fhirpath-runtime.ts';

const names = Object.keys(runtime).sort();

/** The line that imports what compiled code calls, for a file two folders below `shared/fhir/`; nothing if it calls nothing. */
export const runtimeImport = (code: string): string => {
  const used = names.filter((name) => new RegExp(`(?<![.\\w])${name}\\(`).test(code));
  return used.length === 0 ? '' : `import { ${used.join(', ')} } from '../../fhirpath-runtime.ts';\n`;
};
