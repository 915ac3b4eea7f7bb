import { readFileSync } from 'node:fs';
import { CommandFailed } from '../command.ts';

/**
 * Lines of a file with commas, by the names of its columns, which its first line gives. Fields hold no commas; a column that is not asked for is passed over.
 *
 * @returns each line with its number, the first one being 1.
 * @throws CommandFailed for a file that cannot be read, or has no such column.
 */
export const columnsOf = <Name extends string>(
  file: string,
  names: readonly Name[],
): (Record<Name, string | undefined> & { readonly line: number })[] => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailed(`${file} cannot be read: ${(error as Error).message}`);
  }
  const [heads = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const found = heads.split(',').map((head) => head.trim());
  const missing = names.find((name) => !found.includes(name));
  if (missing !== undefined) throw new CommandFailed(`${file} has no column "${missing}" in its first line`);
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return [];
    const cells = line.split(',').map((cell) => cell.trim());
    const named = Object.fromEntries(names.map((name) => [name, cells[found.indexOf(name)]]));
    return [{ ...(named as Record<Name, string | undefined>), line: index + 2 }];
  });
};
