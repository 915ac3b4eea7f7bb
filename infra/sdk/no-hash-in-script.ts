/** Takes the place of the SDK's SHA-256 in JavaScript in deployed bundles: it is for a Node without OpenSSL, which Lambda has not. */
export class Sha256Js {
  constructor() {
    throw new Error('SHA-256 in JavaScript is not part of this bundle');
  }
}
