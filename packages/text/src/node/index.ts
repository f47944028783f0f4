/**
 * What needs Node: tokens, and features of frozen layers, on disk.
 *
 * @packageDocumentation
 */

export { type CachedFeatures, cacheFeatures, type FeatureCacheOptions } from "./feature-cache.ts";
export { cacheTokens } from "./token-cache.ts";
