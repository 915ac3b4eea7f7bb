/** What the client knows of where its table is. */
interface EndpointParameters {
  readonly Region?: string | undefined;
  readonly Endpoint?: string | undefined;
  readonly UseFIPS?: boolean | undefined;
  readonly UseDualStack?: boolean | undefined;
  readonly AccountIdEndpointMode?: string | undefined;
}

interface Endpoint {
  readonly url: URL;
  readonly properties: Readonly<Record<string, never>>;
  readonly headers: Readonly<Record<string, never>>;
}

const known = new Map<string, Endpoint>();

/**
 * Takes the place of the SDK's search for an endpoint in deployed bundles: a Region of AWS or of AWS GovCloud (US) has one of DynamoDB, unless
 * another one is configured. Leaving out its rules for whatever else there is, with the partitions and the language of the rules, saves 16 KB.
 *
 * @throws Error for what it has no endpoint of: other partitions, FIPS, dual stack, one for each account.
 * @see https://docs.aws.amazon.com/general/latest/gr/ddb.html
 */
export const defaultEndpointResolver = (parameters: EndpointParameters): Endpoint => {
  const { Region = '', Endpoint: configured, UseFIPS, UseDualStack, AccountIdEndpointMode } = parameters;
  if (UseFIPS || UseDualStack || AccountIdEndpointMode === 'required') {
    throw new Error('Endpoints for FIPS, dual stack or an account are not part of this bundle');
  }
  const address = configured ?? addressIn(Region);
  const found = known.get(address) ?? { url: new URL(address), properties: {}, headers: {} };
  known.set(address, found);
  return found;
};

const addressIn = (region: string): string => {
  if (/^((us|eu|ap|sa|ca|me|af|il|mx)|us-gov)-[a-z]+-\d+$/.test(region)) {
    return `https://dynamodb.${region}.amazonaws.com`;
  }
  throw new Error(`Endpoints of ${region || 'no Region'} are not part of this bundle`);
};
