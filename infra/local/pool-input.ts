import { ServiceError } from './aws-services.ts';

/** What an operation of Cognito's API was called with. */
export type PoolInput = Readonly<Record<string, unknown>>;

/** A text that has to be there. Throws ServiceError `InvalidParameterException`. */
export const textOf = (input: PoolInput, name: string): string => {
  const value = input[name];
  if (typeof value === 'string' && value !== '') return value;
  throw invalid(`Missing required parameter ${name}`);
};

/** A text; undefined where there is none. Throws likewise. */
export const optionalText = (input: PoolInput, name: string): string | undefined =>
  input[name] === undefined || input[name] === null ? undefined : textOf(input, name);

/** A list of texts; empty where there is none. Throws likewise. */
export const textsOf = (input: PoolInput, name: string): readonly string[] => {
  const value = input[name] ?? [];
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw invalid(`${name} is no list of texts`);
};

/** Names and values, as Cognito's API has attributes of users. Throws likewise. */
export const attributesIn = (input: PoolInput): Readonly<Record<string, string>> => {
  const listed = (input.UserAttributes ?? []) as readonly { readonly Name?: unknown; readonly Value?: unknown }[];
  return Object.fromEntries(
    listed.map(({ Name, Value = '' }) => {
      if (typeof Name !== 'string' || typeof Value !== 'string') throw invalid('An attribute is no pair of texts');
      return [Name, Value];
    }),
  );
};

export const invalid = (message: string): ServiceError => new ServiceError('InvalidParameterException', message);
