import type { Aws } from '../aws/aws.ts';
import type { Reporter } from '../console/reporter.ts';
import type { Stack } from '../model/stack.ts';
import type { CloudStacks } from '../cloud/cloud-stacks.ts';
import type { CloudValues } from '../cloud/cloud-values.ts';
import type { CodeArtifacts } from './lambda/code-artifacts.ts';
import type { CodeImages } from './lambda/code-images.ts';
import type { LambdaAccess } from './lambda/lambda-client.ts';
import type { SyncFacts } from '../cloud/sync-state.ts';

/** What the services of one plan share. */
export interface ServiceContext {
  root: Stack;
  aws: Aws;
  lambda: LambdaAccess;
  stacks: CloudStacks;
  values: CloudValues;
  artifacts: CodeArtifacts;
  images: CodeImages;
  facts: SyncFacts;
  /** ARN of the root stack. */
  stackId: string;
  reporter: Reporter;
  signal: AbortSignal;
  /** How long (ms) a stage with automatic deployments may take before we compare what it has deployed. */
  autoDeployWaitMs: number;
}
