import type { DirectProperty } from './direct-settings.ts';

/** The treatment of one resource type: a row of the table in `kinds.ts`. Pure data. */
export interface ResourceKind {
  /** Properties that may hold a local path. */
  paths?: readonly PathProperty[];
  /** The property (path below `Properties`) that names a container image in place of code. */
  image?: readonly string[];
  /** Properties that hold the definition itself; the first one that is set counts. */
  body?: readonly string[];
  /** The kind of build result of the code. The model reads it with its build settings. */
  builtAs?: string;
  /** The path below `Properties` of the code's environment variables. */
  variables?: readonly string[];
  /**
   * The flow of `src/services` by which a code sync updates the resource: `function`, `layer`, or an entry of
   * `services/definitions.ts`. Without it only a deployment updates the resource.
   */
  sync?: string;
  /** Further properties that a code sync sends with the code or definition, or that decide what it sends. */
  settings?: readonly string[];
  /** Properties that the service sets on the existing resource, without CloudFormation. */
  direct?: Readonly<Record<string, DirectProperty>>;
  /** The service that sets them, with requests of their own beside those of the flow (`sync`). */
  setBy?: string;
  /**
   * Settings that wait for the deployment if anything else of the resource does. Authorization that goes while what replaces it
   * has yet to come would leave the resource open.
   */
  directAlone?: readonly string[];
  /** How the service sets one of the `Tags`; each is a setting of its own (`setting-parts.ts`). */
  directTag?: DirectProperty;
  /** `Tags` is a mapping, as SAM's types have it, and no list. */
  tagMap?: true;
  /** Mappings of which each entry is a setting of its own (`setting-parts.ts`). */
  directEntries?: Readonly<Record<string, DirectProperty>>;
  /** With this property, SAM passes the tags on to more resources: only a deployment sets them. */
  tagsUnlessWith?: string;
  /** What API Gateway tags: the API, its stage, or both. */
  tagged?: readonly ('api' | 'stage')[];
  /** The ARN by which the Tagging API sets them, as a pattern (`attribute-patterns.ts`); without it, the flow does. */
  taggedArn?: string;
  /** Settings of the function's events by event type, each a setting of its own (`setting-parts.ts`). */
  directEvents?: Readonly<Record<string, Readonly<Record<string, DirectProperty>>>>;
  /** Properties of which the flow (`sync`) sends the whole value, inline: without CloudFormation too. */
  directDefinition?: readonly string[];
  /** Properties that SAM writes into the definition, as the flow can too: without CloudFormation. */
  generatedDirect?: readonly string[];
  /** Where one of these changes too, everything that changes waits for the deployment. */
  deployedWhole?: readonly string[];
  /** With one of these, every change waits for the deployment: only it publishes a version, or finds the resource. */
  deployedWith?: readonly string[];
  /** Parts of which SAM generates resources with settings, such as the rule of an event. */
  generates?: readonly GeneratedSettings[];
  /** How Cloud Control sets the properties of `direct`, if no flow of the type's own service does. */
  cloudControl?: CloudControlAccess;
  /** Properties that make SAM add paths, methods or security to the definition. Only SAM knows what it adds. */
  samChangesDefinition?: readonly string[];
  /** Values that change with each new code or definition. */
  versioned?: VersionedValues;
  /** The deployed resource, if SAM changes its type and logical ID. */
  deployedAs?: GeneratedResource;
  /** Further resources that SAM generates, by their name in templates: `Alias` for `!Ref Fn.Alias`. */
  companions?: Readonly<Record<string, Companion>>;
  /** The logical ID of the resource of this type that SAM generates for functions' events. */
  implicitId?: string;
  /** Stages that SAM gives the API beside the one that its `StageName` names. */
  stages?: OwnStages;
  /** How a resource of this type says which requests an application accepts. */
  routes?: 'events' | 'route-key' | 'method' | 'url';
  /**
   * The event of a function that adds a route to an API of this type, the event's property that names the API, and its
   * properties that SAM writes into the definition.
   */
  event?: { type: string; api: string; settings: readonly string[] };
  /** The property that names the API, if a resource of this type gives an API a stage. */
  stageOf?: string;
  /** Attributes (`Fn::GetAtt`) that follow from the physical ID, as patterns (`attribute-patterns.ts`). */
  attributes?: Readonly<Record<string, string>>;
}

/** How Cloud Control addresses and updates a resource of the type. */
interface CloudControlAccess {
  /** The type's primary identifier, as a pattern (`attribute-patterns.ts`) for the physical ID. */
  identifier: string;
  /** Properties that the service does not return: an update sends them too, or they would be reset. */
  unreadable?: readonly string[];
}

/** A property that may hold a local path (docs/sam-cli-behaviour.md#local-paths). */
export interface PathProperty {
  /** Path below `Properties`, e.g. `['Command', 'ScriptLocation']`. `*` stands for any key. */
  property: readonly string[];
  content: LocalContent;
  form: LocationForm;
  /** The path if the resource lacks the property. */
  byDefault?: string | undefined;
}

/**
 * The content of a path, and how it is uploaded.
 * `code`: a folder or single file, zipped (a `.zip`/`.jar` unchanged); resolves against `--base-dir`.
 * `file`: one file, unchanged. `zip`: a folder, zipped, or a file, unchanged. `template`: the template of a nested stack.
 */
export type LocalContent = 'code' | 'file' | 'zip' | 'template';

/** The form of an S3 location in the packaged template. */
export type LocationForm =
  /** `s3://bucket/key` */
  | { kind: 's3-uri' }
  /** `https://s3.region.amazonaws.com/bucket/key` (templates of nested stacks) */
  | { kind: 'https-url' }
  /** A mapping with these keys. */
  | { kind: 'map'; bucket: string; key: string };

/** A resource that SAM generates from a part of another one, and which of its properties the part gives. */
export interface GeneratedSettings {
  /** The part, below the owner's `Properties`. `*` stands for any name; the names below the first follow the owner's logical ID. */
  at: readonly string[];
  /** The `Type` that the part must have; its settings are in `Properties` then. */
  eventType?: string;
  /** Members that the part must have, with these values. */
  onlyWith?: Readonly<Record<string, string>>;
  /** What ends the logical ID. */
  suffix?: string;
  type: string;
  /** Property of the part → property of the generated resource. */
  settings: Readonly<Record<string, string | { property: string; values: Readonly<Record<string, string>> }>>;
}

/** A resource that SAM generates. */
export interface GeneratedResource {
  type: string;
  /** Matches the part after the owner's logical ID in the generated logical ID. */
  suffix: RegExp;
}

/** A further resource that SAM generates, and how to tell whose it is. */
type Companion =
  | (GeneratedResource & {
      /** `id`: the logical ID is enough. `arn`: its ARN is its owner's with a qualifier, as a version's or an alias's. */
      ownedBy: 'id' | 'arn';
    })
  /** A stage: SAM derives the logical ID from the stage's name. */
  | { type: string; ownedBy: 'stage-name' };

/** Values that change with each new code or definition. */
interface VersionedValues {
  /** `''`: the `Ref`. A name includes everything below it: `Version` includes `Version.FunctionArn`. */
  attributes: readonly string[];
  /** Only a resource with this property has versions. */
  onlyWith?: string;
  /** If set, this property determines the name of the version, and the code does not. */
  namedBy?: string;
  /** With this property, all properties determine the name. */
  wholeWith?: string;
  /** Properties of the code that determine the name, with their parameters filled in. */
  code?: readonly string[];
  /** Properties that determine the name too, as the template writes them. */
  settings?: readonly string[];
  /** What follows the logical ID in the IDs of generated resources that a template may refer to. */
  generatedIds?: readonly string[];
}

/** Stages of an API that SAM generates. */
interface OwnStages {
  /** The name of the stage if the API has no `StageName`. */
  byDefault?: string;
  /** A stage that SAM always adds. */
  always?: string;
}

/** Location forms that several types share. */
export const S3_URI: LocationForm = { kind: 's3-uri' };
export const HTTPS_URL: LocationForm = { kind: 'https-url' };
export const BUCKET_KEY: LocationForm = { kind: 'map', bucket: 'Bucket', key: 'Key' };
export const S3_BUCKET_S3_KEY: LocationForm = { kind: 'map', bucket: 'S3Bucket', key: 'S3Key' };

/** Creates a property for code that defaults to the template's folder. */
export function codePath(property: string, form: LocationForm): PathProperty {
  return { property: [property], content: 'code', form, byDefault: '.' };
}

/** Creates a property for one file. `property`: its path below `Properties`, with dots. */
export function filePath(property: string, form: LocationForm): PathProperty {
  return { property: property.split('.'), content: 'file', form };
}

/** Creates a property for a folder to zip, or an archive. */
export function zipPath(property: string, form: LocationForm): PathProperty {
  return { property: [property], content: 'zip', form };
}
