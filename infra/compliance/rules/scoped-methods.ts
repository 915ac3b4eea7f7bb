import type { OwnRule, TemplateResource, Violation } from './rule.ts';

interface Method {
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly 'x-amazon-apigateway-integration'?: { readonly type?: string };
}

interface Description {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Method>>>>;
  readonly components?: { readonly securitySchemes?: Readonly<Record<string, unknown>> };
}

/** What CONTRACT names as answering without a token. */
export const openPaths: readonly string[] = [
  '/',
  '/cds-services',
  '/fhir/.well-known/smart-configuration',
  '/fhir/metadata',
  '/openapi.json',
];

const isPool = (description: Description, authorizer: string): boolean => {
  const scheme = description.components?.securitySchemes?.[authorizer] as
    | {
        readonly 'x-amazon-apigateway-authorizer'?: {
          readonly type?: string;
          readonly providerARNs?: readonly unknown[];
        };
      }
    | undefined;
  const made = scheme?.['x-amazon-apigateway-authorizer'];
  return made?.type === 'cognito_user_pools' && (made.providerARNs?.length ?? 0) > 0;
};

const wrongWith = (description: Description, path: string, name: string, method: Method): string | undefined => {
  if (name === 'options')
    return method['x-amazon-apigateway-integration']?.type === 'mock'
      ? undefined
      : "A browser's question before its request reaches a function, and has no token.";
  if (openPaths.includes(path)) return undefined;
  const ways = method.security ?? [];
  const safe =
    ways.length > 0 &&
    ways.every((way) => {
      const named = Object.entries(way);
      return named.length > 0 && named.every(([each, scopes]) => scopes.length > 0 && isPool(description, each));
    });
  return safe ? undefined : 'It asks for no access token with a scope.';
};

const violationsIn = (resource: TemplateResource): Violation[] => {
  const description = (resource.properties.Body ?? {}) as Description;
  const paths = Object.entries(description.paths ?? {});
  if (paths.length === 0) return [{ resource, says: 'It is not made of a description.' }];
  return paths.flatMap(([path, item]) =>
    Object.entries(item).flatMap(([name, method]) => {
      const says = name === 'parameters' ? undefined : wrongWith(description, path, name, method);
      return says === undefined ? [] : [{ resource, finding: `${name} ${path}`, says }];
    }),
  );
};

export const scopedMethods: OwnRule = {
  name: 'Concord-ScopedMethods',
  asks: `Every method asks for an access token of a pool with a scope, but those of ${openPaths.join(', ')} and the preflight of browsers, which reaches no function.`,
  because:
    'The packs look at methods that are resources of their own, and not at a description that the gateway is made of.',
  violations: (resources) => [
    ...resources.filter(({ type }) => type === 'AWS::ApiGateway::RestApi').flatMap(violationsIn),
    ...resources
      .filter(({ type }) => type === 'AWS::ApiGateway::Method')
      .map((resource) => ({ resource, says: 'It stands beside the description, where nobody looks at its scopes.' })),
  ],
};
