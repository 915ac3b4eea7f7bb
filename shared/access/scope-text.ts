import type { Narrowing, Scope } from './scopes.ts';

/** Scopes as a token has them, parted by spaces: what `parseScopes` makes the same scopes of. */
export const scopeText = (scopes: readonly Scope[]): string =>
  scopes
    .map(({ level, type, actions, narrowed }) => {
      const query = narrowed.map(textOf).join('&');
      return `${level}/${type}.${[...actions].join('')}${query === '' ? '' : `?${query}`}`;
    })
    .join(' ');

const textOf = ({ element, concepts }: Narrowing): string => {
  const values = concepts.map(({ system, code = '' }) => (system === undefined ? code : `${system}|${code}`));
  return `${element}=${encodeURIComponent(values.join(','))}`;
};
