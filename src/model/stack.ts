import type { BuiltType } from '../template/kinds/kinds.ts';
import type { Template, TemplateMap } from '../template/template.ts';

/** Identifies a resource in options and messages: `LogicalId`, or `Child/Grand/LogicalId` in a nested stack. */
export type ResourceIdentifier = string;

/**
 * A stack of the application: the root or a nested one whose template is a local file.
 * Its template has two views: `source` is built and deployed, `resolved` is what we read.
 */
export interface Stack {
  /** '' for the root, else `Child/Grand`. */
  path: string;
  /** Absolute, with links resolved. Paths other than code resolve against its folder. */
  templateFile: string;
  /** Base of code paths: `--base-dir`, else the template's folder. Absolute. */
  codeDir: string;
  /**
   * As written, with tags in long form, and Globals and intrinsics untouched. Only loops (`Fn::ForEach`) with local artifacts
   * are expanded, because each iteration needs its own path. Never mutated.
   */
  source: Template;
  /** Globals merged, loops and includes expanded, intrinsics replaced if their value is known locally. */
  resolved: Template;
  /**
   * Known values of the template's parameters: overrides (in nested stacks the parent's values), else defaults. Without
   * secrets (`NoEcho`) and values known only to CloudFormation (SSM values, attributes of resources).
   */
  parameters: Readonly<Record<string, string>>;
  /** Logical ID of this stack in the parent's template; undefined for the root. */
  logicalId: string | undefined;
  functions: readonly FunctionResource[];
  layers: readonly LayerResource[];
  webFunctions: readonly WebFunctionResource[];
  children: readonly Stack[];
}

/** The source of a function's or layer's code. */
export type CodeSource =
  /** A local folder to build, or to zip as it is. Absolute. */
  | { kind: 'folder'; path: string }
  /** A local `.zip` (or `.jar`) to upload as it is, or a single file to zip. Absolute. */
  | { kind: 'file'; path: string }
  | { kind: 'inline' }
  /** In S3 or a registry, or an intrinsic that only CloudFormation can resolve: not touched. */
  | { kind: 'remote' }
  /** A container image to build from a Dockerfile. `context` absolute. */
  | { kind: 'image'; context: string }
  /** A container image in a local file (`docker save`) to load and push. Absolute. */
  | { kind: 'image-archive'; path: string }
  /** A container image of the local engine, by name or ID, to push. */
  | { kind: 'local-image'; name: string };

/** What all resources that are built have. */
export interface BuiltResource {
  id: ResourceIdentifier;
  stackPath: string;
  logicalId: string;
  /** Its ID in a CDK application. */
  constructId?: string | undefined;
  /** `Metadata.BuildMethod`. */
  buildMethod: string | undefined;
  buildProperties: TemplateMap;
  skipBuild: boolean;
  /** With CDK's asset entries in SAM's form (`DockerContext`, `SkipBuild`, …). */
  metadata: TemplateMap;
  /** Properties, resolved as far as known locally. */
  properties: TemplateMap;
}

/** A function, `AWS::Serverless::Function` or `AWS::Lambda::Function`. `buildMethod`: undefined: by runtime. */
export interface FunctionResource extends BuiltResource {
  type: BuiltType<'function'>;
  packageType: 'Zip' | 'Image';
  /** undefined for images, and if known only to CloudFormation. */
  runtime: string | undefined;
  handler: string | undefined;
  architecture: 'x86_64' | 'arm64';
  code: CodeSource;
}

/**
 * A layer, `AWS::Serverless::LayerVersion` or `AWS::Lambda::LayerVersion`. `buildMethod`: a runtime, `makefile`,
 * `rust-cargolambda`, …; undefined: the folder is zipped as it is.
 */
export interface LayerResource extends BuiltResource {
  type: BuiltType<'layer'>;
  compatibleRuntimes: readonly string[];
  architecture: 'x86_64' | 'arm64';
  code: CodeSource;
}

/** A Web Function, `AWS::Serverless::WebFunction`: an HTTP application. Only CloudFormation deploys it. */
export interface WebFunctionResource extends BuiltResource {
  type: BuiltType<'web-function'>;
  /** undefined if only CloudFormation knows it. */
  runtime: string | undefined;
  /** The file that the runtime starts, relative to the code; undefined: not set, or known only to CloudFormation. */
  entryPoint: string | undefined;
  /** The only architecture of Web Functions. */
  architecture: 'x86_64';
  code: CodeSource;
}

/** Returns a stack and its nested stacks, parents first. */
export function flattenStacks(root: Stack): Stack[] {
  return [root, ...root.children.flatMap(flattenStacks)];
}

/** Splits an identifier or a stack's path into the parent stack's path and the logical ID in it. */
export function splitIdentifier(id: ResourceIdentifier): { stackPath: string; logicalId: string } {
  const slash = id.lastIndexOf('/');
  return { stackPath: id.slice(0, Math.max(0, slash)), logicalId: id.slice(slash + 1) };
}

/** How many stacks are above the stack with this path. */
export function depthOf(stackPath: string): number {
  return stackPath === '' ? 0 : stackPath.split('/').length;
}

/** Joins a stack's path and a logical ID: `Child/LogicalId`. */
export function identifierOf(stackPath: string, logicalId: string): ResourceIdentifier {
  return stackPath === '' ? logicalId : `${stackPath}/${logicalId}`;
}
