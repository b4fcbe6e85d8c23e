import { setMaxListeners } from 'node:events';

/**
 * A controller whose signal any number of works may listen to: each program and each call under way does. Beyond ten Node
 * would warn of a leak.
 */
export function createAbort(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
