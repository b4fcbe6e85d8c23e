/** The keys of a watch on a terminal. */
export const WATCH_KEYS = [
  { key: 'r', short: 'sync all', help: 'compare all resources with the cloud and sync the differences' },
  { key: 'd', short: 'deploy', help: 'deploy the stack, even if its template did not change' },
  { key: 'l', short: 'show logs', help: 'show or hide the log lines of functions' },
  { key: 'o', short: 'outputs', help: 'show the outputs of the stack' },
  { key: 'u', short: 'page', help: 'print a link to the page of this session' },
  { key: 'q', short: 'quit', help: 'stop watching (same as Ctrl-C)' },
  { key: '?', short: 'help', help: 'show this help' },
] as const;
