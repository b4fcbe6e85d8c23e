/** A status of CloudFormation as the live view shows it. */
export interface StatusWord {
  /** `creating`, `created`, … */
  word: string;
  busy: boolean;
  failed: boolean;
}

const VERBS: Readonly<Record<string, readonly [busy: string, done: string]>> = {
  CREATE: ['creating', 'created'],
  UPDATE: ['updating', 'updated'],
  DELETE: ['deleting', 'deleted'],
  IMPORT: ['importing', 'imported'],
};

/** Describes a status such as `CREATE_IN_PROGRESS` in a word; an unknown one keeps its own words. */
export function describeStatus(status: string): StatusWord {
  const busy = status.endsWith('_IN_PROGRESS');
  const failed = status.endsWith('_FAILED');
  const [, verb = '', end = ''] = /^([A-Z]+)_(IN_PROGRESS|COMPLETE|FAILED)$/.exec(status) ?? [];
  const words = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  const word = words === undefined ? status.toLowerCase().replaceAll('_', ' ') : words[end === 'IN_PROGRESS' ? 0 : 1];
  return { word: failed && words !== undefined ? 'failed' : (word ?? status), busy, failed };
}
