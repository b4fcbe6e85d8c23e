import * as path from 'node:path';

/**
 * What a samconfig or parameter file holds. Numbers and dates are text: an account id keeps its leading zero and `1.10`
 * its last one.
 */
export type ConfigValue = null | boolean | string | ConfigValue[] | ConfigMap;

/** A table of a samconfig or parameter file. */
export interface ConfigMap {
  [key: string]: ConfigValue;
}

/** The file formats that we read, in the order in which a samconfig is looked for. */
export const CONFIG_EXTENSIONS = ['.toml', '.yaml', '.yml', '.json'] as const;

/** Whether the value is a table. */
export function isConfigMap(value: ConfigValue | undefined): value is ConfigMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a file of this name is in a format that we read. */
export function hasConfigExtension(file: string): boolean {
  return (CONFIG_EXTENSIONS as readonly string[]).includes(path.extname(file).toLowerCase());
}
