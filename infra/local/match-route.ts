/** A route of the gateway. The route table of the stack has this shape. */
export interface GatewayRoute {
  /** Such as `/fhir/Patient`, `/fhir/{type}` (one segment) or `/fhir/Patient/{proxy+}` (one segment or more). */
  readonly path: string;
  /** File whose export `handler` serves it, from the root of the project. */
  readonly entry: string;
  /** Whether it needs no token. */
  readonly open: boolean;
}

export interface Match<R extends GatewayRoute> {
  readonly route: R;
  /** Values of the path's variables, without percent escapes; null if it has none. */
  readonly pathParameters: Record<string, string> | null;
}

/**
 * The first route that a path belongs to. A slash at the end of the path makes no difference.
 *
 * @param pathname - as it stands in the request line, percent escapes included.
 */
export const matchRoute = <R extends GatewayRoute>(routes: readonly R[], pathname: string): Match<R> | undefined => {
  const segments = segmentsOf(pathname.replace(/\/$/, ''));
  for (const route of routes) {
    const variables = variablesOf(segmentsOf(route.path.replace(/\/$/, '')), segments);
    if (variables) return { route, pathParameters: variables.size === 0 ? null : Object.fromEntries(variables) };
  }
  return undefined;
};

const segmentsOf = (path: string) => path.split('/').slice(1);

const variablesOf = (pattern: readonly string[], segments: readonly string[]): Map<string, string> | undefined => {
  const variables = new Map<string, string>();
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index];
    if (segment === undefined || segment === '') return undefined;
    const greedy = /^\{(.+)\+\}$/.exec(part)?.[1];
    if (greedy !== undefined) return variables.set(greedy, decode(segments.slice(index).join('/')));
    const variable = /^\{(.+)\}$/.exec(part)?.[1];
    if (variable !== undefined) variables.set(variable, decode(segment));
    else if (segment !== part) return undefined;
  }
  return segments.length === pattern.length ? variables : undefined;
};

const decode = (text: string) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // the function refuses it, with an outcome
  }
};
