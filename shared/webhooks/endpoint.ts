import { isIP } from 'node:net';
import { type AddressKind, addressKind } from './addresses.ts';
import type { FurtherHosts } from './further-hosts.ts';

/** Longest URL, in letters. */
const longest = 2_048;

/** Names that are no one's on the internet. https://www.iana.org/assignments/special-use-domain-names/ */
const innerName = /(?:^|\.)(?:localhost|local|internal|arpa|onion|invalid)$/;
const loopbackName = /^(?:(?:[a-z0-9-]+\.)*localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** A URL that may be posted to, with what is allowed of the addresses that its name turns out to have. */
export interface Endpoint {
  readonly url: URL;
  /** The address, where the URL has one instead of a name. */
  readonly address: string | undefined;
  readonly allows: (kind: AddressKind) => boolean;
}

/**
 * Judges the URL of an endpoint by what it says: no look-up, no environment. The addresses of its name are judged whenever something is posted.
 *
 * @returns the endpoint, or what is wrong with it, as the end of a sentence about it.
 */
export const endpointOf = (text: string, furtherHosts: FurtherHosts): Endpoint | { readonly refused: string } => {
  // A URL parser drops tabs and line ends, and reads other letters as digits and dots.
  if (text.length > longest || !/^https?:\/\/[\x21-\x7e]+$/.test(text) || /[\\<>"`{}|^]/.test(text)) {
    return { refused: 'is no absolute URL of printable letters, or is too long' };
  }
  if (!URL.canParse(text)) return { refused: 'is no URL' };
  const url = new URL(text);
  const { protocol, hostname, port, origin } = url;
  if (/^https?:\/\/[^/?#]*@/.test(text))
    return { refused: 'holds a user or a password; a header is the place for them' };
  if (text.includes('#')) return { refused: 'has a fragment' };
  const address = hostname.replace(/^\[|\]$/g, '');
  const found = { url, address: isIP(address) === 0 ? undefined : address };
  if (furtherHosts.includes(origin) || furtherHosts.includes(`${protocol}//${hostname}:*`)) {
    const named: readonly AddressKind[] = loopbackName.test(hostname) ? ['loopback'] : ['public', 'private'];
    return judged({ ...found, allows: (kind) => named.includes(kind) });
  }
  if (protocol !== 'https:') return { refused: 'is not https' };
  if (port !== '') return { refused: 'has another port than 443' };
  if (found.address === undefined && (!hostname.includes('.') || hostname.endsWith('.') || innerName.test(hostname))) {
    return { refused: 'names no host of the internet' };
  }
  return judged({ ...found, allows: (kind) => kind === 'public' });
};

const judged = (endpoint: Endpoint): Endpoint | { readonly refused: string } =>
  endpoint.address === undefined || endpoint.allows(addressKind(endpoint.address))
    ? endpoint
    : { refused: 'names no host of the internet' };
