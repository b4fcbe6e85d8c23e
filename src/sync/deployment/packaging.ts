import type { DeployInput } from '../../deploy/deploy-stack.ts';
import type { ImageRepositories } from '../../deploy/image-repositories.ts';
import type { DeployPlan } from '../../deploy/plan-deploy.ts';
import type { ArtifactStore } from '../../package/artifact-store.ts';
import type { ImageStore } from '../../package/image-store.ts';
import type { PackagedStack } from '../../package/package-templates.ts';
import type { WebFunctionStore } from '../../package/web-function-store.ts';
import type { OpenedApplication } from '../open-application.ts';
import type { SyncRun } from '../sync-run.ts';
import type { EarlyUploads } from './early-uploads.ts';

/** The stores that a deployment uploads to. */
export interface DeploymentStores {
  run: SyncRun;
  application: OpenedApplication;
  store: ArtifactStore;
  webFunctions: WebFunctionStore;
  images: ImageStore;
  repositories: ImageRepositories;
  /** Uploads that began during the build. */
  early: EarlyUploads;
}

/** Packaged templates, and what CloudFormation has to do with them. */
export interface PlannedDeployment {
  packaged: PackagedStack;
  input: DeployInput;
  plan: DeployPlan;
}
