/** Takes the place of what the SDK signs the events of an event stream with in deployed bundles: each signer has one, and none uses it. */
export class HeaderFormatter {
  format(): never {
    throw new Error('Signing events is not part of this bundle');
  }
}
