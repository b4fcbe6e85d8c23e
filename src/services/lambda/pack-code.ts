import type { BuildResult, BuiltProperties } from '../../builder/build-result.ts';
import { UserError } from '../../errors.ts';
import type { BuildFailure, SourcePlace } from '../../errors.ts';
import type { FunctionResource, LayerResource, ResourceIdentifier } from '../../model/stack.ts';
import { mapLimit } from '../../support/map-limit.ts';
import { asUserError } from '../../system-errors.ts';
import type { CodeArtifact, CodeArtifacts } from './code-artifacts.ts';
import { isImage } from './function-code.ts';

/** The built code of functions and layers, zipped for the comparison with Lambda. */
export interface PackedCode {
  code: ReadonlyMap<ResourceIdentifier, CodeArtifact>;
  /** Of the dependency layers, by function. */
  dependencies: ReadonlyMap<ResourceIdentifier, CodeArtifact>;
  images: BuildResult['images'];
  /** What the builds changed in the functions' properties. */
  properties: BuiltProperties;
  /** Resources that could not be built or zipped. */
  failures: readonly CodeFailure[];
}

/** Why a resource has no code, and where the cause is, if a tool reports that. */
interface CodeFailure {
  id: ResourceIdentifier;
  error: UserError;
  place?: SourcePlace | undefined;
}

/** Resources zipped in parallel. */
const PACKED_AT_ONCE = 8;

/** Zips the build results of these resources. Uploads nothing. */
export async function packCode(
  artifacts: CodeArtifacts,
  resources: readonly (FunctionResource | LayerResource)[],
  { result, failures: unbuilt }: { result: BuildResult; failures: readonly BuildFailure[] },
): Promise<PackedCode> {
  const failures: CodeFailure[] = unbuilt.flatMap(({ ids, message, hint, file, line, column }) =>
    ids.map((id) => {
      const error = new UserError(message, hint === undefined ? {} : { hint });
      return { id, error, place: { file, line, column } };
    }),
  );
  const failed = new Set(failures.map(({ id }) => id));
  const code = new Map<ResourceIdentifier, CodeArtifact>();
  const dependencies = new Map<ResourceIdentifier, CodeArtifact>();
  const zipped = resources.filter((resource) => !failed.has(resource.id) && !isImageFunction(resource));
  await mapLimit(zipped, PACKED_AT_ONCE, async (resource) => {
    const { id } = resource;
    try {
      const artifact = await artifacts.ofResource(resource, result);
      if (artifact !== undefined) code.set(id, artifact);
      const layer = await artifacts.ofDependencies(id, result);
      if (layer !== undefined) dependencies.set(id, layer);
    } catch (thrown) {
      const error = asUserError(thrown);
      if (error === undefined) throw thrown;
      failures.push({ id, error });
    }
  });
  return { code, dependencies, images: result.images, properties: result, failures };
}

function isImageFunction(resource: FunctionResource | LayerResource): boolean {
  return 'packageType' in resource && isImage(resource);
}
