/**
 * Takes the place of the SDK's event streams in deployed bundles: no operation of DynamoDB or EventBridge has one, and whatever asks for
 * one fails at once. Leaving them out saves 17 KB of 435.
 */
throw new Error('Event streams are not part of this bundle');
