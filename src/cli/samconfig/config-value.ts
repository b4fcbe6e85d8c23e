import * as path from 'node:path';

/**
 * A value of a samconfig or parameter file. Numbers and dates are text: an account ID keeps its leading zero and `1.10`
 * its last one.
 */
export type ConfigValue = null | boolean | string | ConfigValue[] | ConfigMap;

/** A table of a samconfig or parameter file. */
export interface ConfigMap {
  [key: string]: ConfigValue;
}

/** The supported file formats, in search order. */
export const CONFIG_EXTENSIONS = ['.toml', '.yaml', '.yml', '.json'] as const;

/** Returns whether the value is a table. */
export function isConfigMap(value: ConfigValue | undefined): value is ConfigMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns whether the file has a supported format. */
export function hasConfigExtension(file: string): boolean {
  return (CONFIG_EXTENSIONS as readonly string[]).includes(path.extname(file).toLowerCase());
}
