import type { ConfigMap } from './config-value.ts';

/** Changes of one table of a configuration file. Keys to set are not among those to remove. */
export interface TableEdit {
  table: readonly string[];
  set: ConfigMap;
  remove: readonly string[];
}
