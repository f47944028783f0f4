/**
 * What needs Node: features of frozen layers on disk.
 *
 * @packageDocumentation
 */

export { type CachedFeatures, cacheFeatures, type FeatureCacheOptions } from "./feature-cache.ts";
