/** The keys that a watch on a terminal understands. */
export const WATCH_KEYS = [
  { key: 'r', short: 'sync all', help: 'compare everything with the cloud and sync what differs' },
  { key: 'd', short: 'deploy', help: 'deploy the stack, even if its template did not change' },
  { key: 'l', short: 'logs', help: 'show log lines of the functions as they come, or stop doing so' },
  { key: 'o', short: 'outputs', help: 'show the outputs of the stack' },
  { key: 'q', short: 'quit', help: 'end the watch, as Ctrl-C does' },
  { key: '?', short: 'help', help: 'show this' },
] as const;
