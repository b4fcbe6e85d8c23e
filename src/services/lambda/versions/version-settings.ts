/** Settings that a version for the alias is published for, as the deployment will, or was published for. */
export interface VersionSettings {
  /** Changed settings of which the next deployment publishes a version. */
  published: readonly string[];
  /** Settings of which a version may have been published, and that are as deployed again. */
  back: readonly string[];
  /** The number of the stack's version. */
  deployed: string | undefined;
}
