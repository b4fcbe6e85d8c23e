import { MAX_INLINE_TEMPLATE } from '../../deploy/deploy-stack.ts';
import { stackRequest } from '../../deploy/start-operation.ts';
import type { LocatedArtifact } from '../../package/artifact-store.ts';
import type { LocatedImage } from '../../package/image-store.ts';
import { objectUrls } from '../../package/object-urls.ts';
import { summarize } from '../../services/planned-request.ts';
import type { PlannedRequest } from '../../services/planned-request.ts';
import { readParameters } from '../../template/parameters.ts';
import type { Template } from '../../template/template.ts';
import { deploymentInputs, forEachMissing } from './missing-uploads.ts';
import type { DeploymentStores, PlannedDeployment } from './packaging.ts';

/** What a deployment would send. */
export interface DescribedDeployment {
  /** What would be created before the uploads, in a sentence each. */
  preparations: readonly string[];
  /** Uploads, unless the bucket has them. */
  artifacts: readonly LocatedArtifact[];
  /** Pushes, unless the repository has them. */
  images: readonly LocatedImage[];
  /** Creates or updates the stack; undefined: the plan does neither. Without its random token and its secrets. */
  request: PlannedRequest | undefined;
}

/** Describes a deployment without uploading anything. */
export async function describeDeployment(
  stores: DeploymentStores,
  deployment: PlannedDeployment,
): Promise<DescribedDeployment> {
  const artifacts: LocatedArtifact[] = [];
  const images: LocatedImage[] = [];
  await forEachMissing(deploymentInputs(deployment.packaged, stores.application.deployed.template), stores, {
    artifact: async (located) => void artifacts.push(located),
    image: async (located) => void images.push(located),
  });
  const isForWeb = artifacts.some(({ item }) => item.kind !== 'template' && item.use === 'web-function');
  const preparation = isForWeb ? await stores.webFunctions.lookAhead() : undefined;
  const preparations = preparation === undefined ? [] : [preparation];
  return { preparations, artifacts, images, request: await describeRequest(stores, deployment) };
}

async function describeRequest(
  { run, store }: DeploymentStores,
  { input, plan }: PlannedDeployment,
): Promise<PlannedRequest | undefined> {
  if (plan.action !== 'create' && plan.action !== 'update') return undefined;
  const { template, templateText } = input;
  const { operation, parameters } = stackRequest({
    kind: plan.action,
    request: input,
    parameters: withoutSecrets(plan.parameters, template),
    template: { TemplateBody: templateText },
  });
  const { TemplateBody = '', ...others } = parameters;
  const service = 'cloudformation';
  if (Buffer.byteLength(TemplateBody) <= MAX_INLINE_TEMPLATE) {
    return { service, operation, parameters: { ...others, TemplateBody: summarize(TemplateBody) } };
  }
  const { bucket, key } = await store.locate({ kind: 'template', text: templateText, label: 'template' });
  const urlOf = await objectUrls(run.aws);
  return { service, operation, parameters: { ...others, TemplateURL: urlOf(bucket, key) } };
}

/** As CloudFormation shows `NoEcho` parameters. */
function withoutSecrets(
  parameters: Extract<PlannedDeployment['plan'], { action: 'create' }>['parameters'],
  template: Template,
): typeof parameters {
  const values = Object.fromEntries(parameters.map(({ ParameterKey }) => [ParameterKey, '']));
  const { secret } = readParameters(template, { values });
  return parameters.map((parameter) =>
    'ParameterValue' in parameter && secret.has(parameter.ParameterKey)
      ? { ...parameter, ParameterValue: '****' }
      : parameter,
  );
}
