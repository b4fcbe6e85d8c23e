import type { BuiltType } from '../template/kinds/kinds.ts';
import type { Template, TemplateMap } from '../template/template.ts';

/** `LogicalId`, or `Child/Grand/LogicalId` in a nested stack: how users and our messages name a resource. */
export type ResourceIdentifier = string;

/**
 * A stack of the application: the root or a nested one whose template is a local file.
 * Two views of its template are kept: `source` is what is built upon and deployed, `resolved` is what we read.
 */
export interface Stack {
  /** '' for the root, else `Child/Grand`. */
  path: string;
  /** Absolute; where the name given is a link, the file behind it. Paths other than code resolve against its folder. */
  templateFile: string;
  /** Relative paths of code resolve against it: `--base-dir`, else the template's folder. Absolute. */
  codeDir: string;
  /**
   * As written, tags in their long form, Globals and intrinsics untouched; only loops (`Fn::ForEach`) that hold local
   * artifacts are expanded, because each turn needs a path of its own. Never mutated.
   */
  source: Template;
  /** Globals merged, loops and includes expanded, intrinsics replaced wherever their value is known locally. */
  resolved: Template;
  /**
   * Known values of the template's parameters: overrides (for nested stacks: what the parent passes), else defaults.
   * Without secrets (`NoEcho`) and without what only CloudFormation knows (SSM values, attributes of resources).
   */
  parameters: Readonly<Record<string, string>>;
  /** The resource of the parent stack that this stack is; undefined for the root. */
  logicalId: string | undefined;
  functions: readonly FunctionResource[];
  layers: readonly LayerResource[];
  webFunctions: readonly WebFunctionResource[];
  children: readonly Stack[];
}

/** Where the code of a function or layer comes from. */
export type CodeSource =
  /** A local folder to be built, or zipped as it is. Absolute. */
  | { kind: 'folder'; path: string }
  /** A local `.zip` (or `.jar`) that is uploaded as it is, or a single file that is zipped. Absolute. */
  | { kind: 'file'; path: string }
  | { kind: 'inline' }
  /** In S3 or a registry already, or an intrinsic that only CloudFormation can resolve: left alone. */
  | { kind: 'remote' }
  /** A container image built from a Dockerfile. `context` absolute. */
  | { kind: 'image'; context: string }
  /** A container image that was saved to a local file (`docker save`), to be loaded and pushed. Absolute. */
  | { kind: 'image-archive'; path: string }
  /** A container image that the engine on this machine has under this name (or id), to be pushed. */
  | { kind: 'local-image'; name: string };

/** A function, `AWS::Serverless::Function` or `AWS::Lambda::Function`. */
export interface FunctionResource {
  id: ResourceIdentifier;
  stackPath: string;
  logicalId: string;
  type: BuiltType<'function'>;
  /** The name that it has in a CDK application. */
  constructId?: string | undefined;
  packageType: 'Zip' | 'Image';
  /** undefined for images, and where only CloudFormation knows it. */
  runtime: string | undefined;
  handler: string | undefined;
  architecture: 'x86_64' | 'arm64';
  code: CodeSource;
  /** `Metadata.BuildMethod`: `esbuild`, `makefile`, `python-uv`, … undefined: by runtime. */
  buildMethod: string | undefined;
  buildProperties: TemplateMap;
  skipBuild: boolean;
  /** CDK's entries for assets in SAM's form (`DockerContext`, `SkipBuild`, …). */
  metadata: TemplateMap;
  /** Properties with everything resolved that is known locally. */
  properties: TemplateMap;
}

/** A layer, `AWS::Serverless::LayerVersion` or `AWS::Lambda::LayerVersion`. */
export interface LayerResource {
  id: ResourceIdentifier;
  stackPath: string;
  logicalId: string;
  type: BuiltType<'layer'>;
  /** The name that it has in a CDK application. */
  constructId?: string | undefined;
  compatibleRuntimes: readonly string[];
  architecture: 'x86_64' | 'arm64';
  code: CodeSource;
  /** `Metadata.BuildMethod`: a runtime, `makefile`, `rust-cargolambda`, …; undefined: the folder is zipped as it is. */
  buildMethod: string | undefined;
  buildProperties: TemplateMap;
  skipBuild: boolean;
  metadata: TemplateMap;
  properties: TemplateMap;
}

/** A Web Function, `AWS::Serverless::WebFunction`: an HTTP application. Only CloudFormation deploys it. */
export interface WebFunctionResource {
  id: ResourceIdentifier;
  stackPath: string;
  logicalId: string;
  type: BuiltType<'web-function'>;
  /** The name that it has in a CDK application. */
  constructId?: string | undefined;
  /** undefined where only CloudFormation knows it. */
  runtime: string | undefined;
  /** The file that the runtime starts, relative to the code; undefined: not set, or known only to CloudFormation. */
  entryPoint: string | undefined;
  /** Lambda runs Web Functions on this one only. */
  architecture: 'x86_64';
  code: CodeSource;
  buildMethod: string | undefined;
  buildProperties: TemplateMap;
  skipBuild: boolean;
  metadata: TemplateMap;
  properties: TemplateMap;
}

/** The stack and all stacks below it, parents first. */
export function flattenStacks(root: Stack): Stack[] {
  return [root, ...root.children.flatMap(flattenStacks)];
}

/** A nested stack's path, or an identifier, taken apart: the path of the stack that it is in, and its logical id there. */
export function splitIdentifier(id: ResourceIdentifier): { stackPath: string; logicalId: string } {
  const slash = id.lastIndexOf('/');
  return { stackPath: id.slice(0, Math.max(0, slash)), logicalId: id.slice(slash + 1) };
}

/** `Child/LogicalId` from a stack's path and a logical id. */
export function identifierOf(stackPath: string, logicalId: string): ResourceIdentifier {
  return stackPath === '' ? logicalId : `${stackPath}/${logicalId}`;
}
