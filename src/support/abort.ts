import { setMaxListeners } from 'node:events';

/**
 * Creates a controller whose signal may have any number of listeners: each running program and call is one. Node warns of a
 * leak beyond ten.
 */
export function createAbort(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
