/** What is used of OpenAPI 3.1. https://spec.openapis.org/oas/v3.1.1.html */
export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: Json;
  readonly servers: readonly Json[];
  readonly security: readonly Json[];
  readonly tags: readonly { readonly name: string; readonly description: string; readonly externalDocs?: Json }[];
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

/** An object of the document that nothing here looks into. */
export type Json = Readonly<Record<string, unknown>>;

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

export type PathItem = { readonly parameters?: readonly Json[] } & { readonly [M in Method]?: Operation };

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Json[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, Json>>;
  /** None is needed. */
  readonly security?: readonly [];
}

export const refersTo = (kind: string, name: string): Json => ({ $ref: `#/components/${kind}/${name}` });

/** `FamilyMemberHistory` of `family-member-history`; what is no letter or digit is left out. */
export const camelCase = (text: string): string =>
  text
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
