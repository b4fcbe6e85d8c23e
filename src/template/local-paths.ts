/** How the packaged template names what was uploaded. */
export type LocationForm =
  /** `s3://bucket/key` */
  | { kind: 's3-uri' }
  /** `https://s3.region.amazonaws.com/bucket/key` (templates of nested stacks) */
  | { kind: 'https-url' }
  /** A mapping with these keys. */
  | { kind: 'map'; bucket: string; key: string };

/** A property of a resource type that may hold a local path (fact sheet 2.6). */
export interface LocalPathProperty {
  type: string;
  /** Path below `Properties`, e.g. `['Command', 'ScriptLocation']`. */
  property: readonly string[];
  /**
   * `code`: folder or file that becomes a zip (a `.zip`/`.jar` goes as it is); resolves against `--base-dir`.
   * `file`: one file as it is. `zip`: folder or file that becomes a zip. `template`: a nested stack's template.
   */
  content: 'code' | 'file' | 'zip' | 'template';
  form: LocationForm;
}
