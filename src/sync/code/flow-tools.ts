import type { Aws } from '../../aws/aws.ts';
import type { Reporter } from '../../console/reporter.ts';
import type { Stack } from '../../model/stack.ts';
import type { CloudStacks } from './cloud-stacks.ts';
import type { CloudValues } from './cloud-values.ts';
import type { CodeArtifacts } from './code-artifacts.ts';
import type { CodeImages } from './code-images.ts';
import type { LambdaAccess } from './lambda-access.ts';
import type { SyncFacts } from './sync-state.ts';

/** What the flows of one plan share. */
export interface FlowTools {
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
  /** How long something that happens by itself, such as an automatic deployment, is awaited before its state is doubted (ms). */
  patience: number;
}
