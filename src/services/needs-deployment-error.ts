import { UserError } from '../errors.ts';

/** Only a deployment can make the change. A watch deploys it; `hint`: what to do without one. */
export class NeedsDeploymentError extends UserError {}
