/**
 * Takes the place of the SDK's endpoint discovery in deployed bundles. It is off unless one asks for it, no command of ours uses it, and a
 * Region's endpoint of DynamoDB is known without. Leaving it out, with the cache that it brings, saves 8 KB of 469.
 */
export const resolveEndpointDiscoveryConfig = <T>(config: T): T => config;

/** Nothing in the environment or a profile turns it on. */
export const NODE_ENDPOINT_DISCOVERY_CONFIG_OPTIONS = {
  environmentVariableSelector: (): undefined => undefined,
  configFileSelector: (): undefined => undefined,
  default: undefined,
};
