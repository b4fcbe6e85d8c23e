import type { FunctionCodeLocation, FunctionConfiguration } from '@aws-sdk/client-lambda';

/** A function, or a version of it, as Lambda has it. */
export interface FunctionState {
  name: string;
  version: string;
  packageType: string | undefined;
  /** Base64. */
  codeSha256: string;
  /** The image that was set (`repository:tag` or `repository@sha256:…`), and the digest that it resolved to. */
  image: { uri: string; resolved: string } | undefined;
  /** Lambda's whole answer, for the settings that are compared by name. */
  configuration: FunctionConfiguration;
  /** ARNs of layer versions, in their order. */
  layers: readonly string[];
  runtime: string | undefined;
  architecture: string | undefined;
  /** undefined in lists, which do not have it. */
  state: string | undefined;
  lastUpdateStatus: string | undefined;
  /** The reason of a bad state, or of a failed update. */
  reason: string | undefined;
  /** Of the state, e.g. `DrainingDurableExecutions`. */
  reasonCode: string | undefined;
}

/** States whose reason is more useful than that of the last update. */
const EXPLAINED: ReadonlySet<string | undefined> = new Set(['Failed', 'Deactivating', 'Deactivated', 'Deleting']);

/** Reads Lambda's answer; only GetFunction has `code`. Pure. */
export function toFunctionState(configuration: FunctionConfiguration, code: FunctionCodeLocation = {}): FunctionState {
  const { State, StateReason, StateReasonCode, LastUpdateStatusReason } = configuration;
  const { ImageUri: uri, ResolvedImageUri: resolved } = code;
  return {
    name: configuration.FunctionName ?? '',
    version: configuration.Version ?? '$LATEST',
    packageType: configuration.PackageType,
    codeSha256: configuration.CodeSha256 ?? '',
    image: uri ? { uri, resolved: resolved || uri } : undefined,
    configuration,
    layers: (configuration.Layers ?? []).map(({ Arn }) => Arn ?? ''),
    runtime: configuration.Runtime,
    architecture: configuration.Architectures?.[0],
    state: State,
    lastUpdateStatus: configuration.LastUpdateStatus,
    reason: (EXPLAINED.has(State) ? StateReason : LastUpdateStatusReason) || undefined,
    reasonCode: StateReasonCode,
  };
}
