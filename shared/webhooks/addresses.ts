import { BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * What an address is good for: `public` is reached over the internet, `private` in the network of a deployment, `loopback` on the same machine.
 * `special` is all else, and nobody's: link-local with the metadata of the cloud, "this network", tunnels, translations, documentation, multicast.
 */
export type AddressKind = 'public' | 'private' | 'loopback' | 'special';

type Family = 'ipv4' | 'ipv6';
type Subnet = readonly [network: string, prefix: number];

const listOf = (family: Family, subnets: readonly Subnet[]): BlockList => {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family);
  return list;
};

/** Shared address space (RFC 6598) is private, too: AWS lets a network use it. */
const private4 = listOf('ipv4', [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
]);
const loopback4 = listOf('ipv4', [['127.0.0.0', 8]]);
/** https://www.iana.org/assignments/iana-ipv4-special-registry/, with multicast and what is reserved. */
const special4 = listOf('ipv4', [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]);

/** What IANA gives out to be routed. All outside it is refused: mapped (`::ffff:0:0/96`), translated (`64:ff9b::/96`), local, multicast. */
const global6 = listOf('ipv6', [['2000::', 3]]);
const private6 = listOf('ipv6', [['fc00::', 7]]);
/** https://www.iana.org/assignments/iana-ipv6-special-registry/, with the former 6bone; the last one holds the metadata of AWS. */
const special6 = listOf('ipv6', [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3ffe::', 16],
  ['3fff::', 20],
  ['fd00:ec2::', 32],
]);

/** Judges an address as a socket takes it, such as `192.0.2.1` or `2001:db8::1`. What is no address is `special`. */
export const addressKind = (address: string): AddressKind => {
  if (isIPv4(address)) {
    if (loopback4.check(address)) return 'loopback';
    if (private4.check(address)) return 'private';
    return special4.check(address) ? 'special' : 'public';
  }
  // A zone (`fe80::1%eth0`) is of this machine alone.
  if (!isIPv6(address) || address.includes('%')) return 'special';
  if (/^(?:0{0,4}:){2,7}0{0,3}1$/.test(address)) return 'loopback';
  if (special6.check(address, 'ipv6')) return 'special';
  if (private6.check(address, 'ipv6')) return 'private';
  return global6.check(address, 'ipv6') ? 'public' : 'special';
};
