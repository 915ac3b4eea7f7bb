/** Takes the place of the SDK's rate limiter in deployed bundles: adaptive retries, which it is for, are off unless one asks for them. */
export class DefaultRateLimiter {
  constructor() {
    throw new Error('Adaptive retries are not part of this bundle');
  }
}
