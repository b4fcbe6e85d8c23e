import type { ResourceIdentifier, Stack, WebFunctionResource } from '../../model/stack.ts';
import type { PackagedStack } from '../../package/package-templates.ts';
import { oncePerName } from '../../support/once.ts';
import { ownValue } from '../../support/own-value.ts';
import { isSourceProperty, kindOf } from '../../template/kinds/kinds.ts';
import { isSecretParameter } from '../../template/parameters.ts';
import { pseudoParameters } from '../../template/pseudo-parameters.ts';
import { mapOf, resourceOf } from '../../template/template.ts';
import type { Template } from '../../template/template.ts';
import type { DescribedResource } from '../code/code-sync-requests.ts';
import type { PreparedSync } from '../prepared-sync.ts';
import { publishedSettings } from './published-settings.ts';
import { changedWebFunctions, describeWebFunctions } from './describe-web-functions.ts';
import { splitChanges } from './split-changes.ts';
import type { ChangeSplit } from './split-changes.ts';
import { viewTemplates } from './template-views.ts';

/** What a watch would set directly of the change that a deployment makes, and what only the deployment does. */
export interface DirectPart {
  /** Resources with their settings and the requests that set them. */
  resources: readonly DescribedResource[];
  /** Everything else that differs, in a few words each. */
  rest: readonly string[];
}

/** Compares the packaged templates with the deployed ones, and plans what services can set; undefined: nothing of it. */
export async function describeDirect(prepared: PreparedSync): Promise<DirectPart | undefined> {
  const { run, deployment } = prepared;
  if (!run.options.directConfig || deployment.plan.action !== 'update') return undefined;
  const split = await splitDeployment(prepared);
  if (split === undefined) return undefined;
  const settings = split.direct.size === 0 ? [] : await describeSettings(prepared, split);
  const code = await describeWebFunctions(prepared, split.movedCode);
  // the split chose them, not the command
  const resources = [...settings, ...code].map((resource) => ({ ...resource, named: false }));
  return resources.length === 0 ? undefined : { resources, rest: split.rest };
}

async function describeSettings(
  { application, codeSync, deployment }: PreparedSync,
  split: DeploymentSplit,
): Promise<readonly DescribedResource[]> {
  const open = await codeSync.plan({
    root: application.root,
    selection: { ids: [...split.direct.keys()], types: [] },
    built: deployment.built,
    settings: (id) => {
      const names = split.direct.get(id) ?? [];
      return { compare: names, undeployed: names, published: split.published(id, names) };
    },
  });
  return open === undefined ? [] : open.describe().finally(open.discard);
}

interface DeploymentSplit extends ChangeSplit {
  /** Those of the settings for which the deployment publishes a version. */
  published(id: ResourceIdentifier, names: readonly string[]): readonly string[];
  /** Web Functions of which only the code differs. */
  movedCode: readonly WebFunctionResource[];
}

async function splitDeployment({
  run,
  application,
  codeSync,
  deployment,
}: PreparedSync): Promise<DeploymentSplit | undefined> {
  const { root, deployed, region, account } = application;
  const { stack, template } = deployed;
  if (stack === undefined || template === undefined) return undefined;
  const { stackName, languageExtensions } = run.options;
  const pseudo = pseudoParameters({ region, stackName, accountId: account });
  const nested = new Map<string, Promise<Template | undefined>>();
  const packaged = new Map(listPackaged(deployment.packaged).map((one) => [one.path, one.template] as const));
  const [before, after] = await Promise.all([
    viewTemplates(
      {
        read: async (path) =>
          path === '' ? template : oncePerName(nested, path, () => codeSync.readNestedTemplate(path)),
        given: givenOf(template, shownParameters(template, stack.parameters)),
        pseudo,
        languageExtensions,
      },
      root,
    ),
    viewTemplates(
      {
        read: async (path) => packaged.get(path),
        given: givenOf(root.source, root.parameters),
        pseudo,
        languageExtensions,
      },
      root,
    ),
  ]);
  if (before === undefined || after === undefined) return undefined;
  const published: DeploymentSplit['published'] = (id, names) => publishedSettings(before, after, { id, names });
  const split = splitChanges(before, after, { isCode });
  const movedCode = changedWebFunctions(root, before, after).filter(({ id }) => !split.deployed.has(id));
  return { ...split, published, movedCode };
}

function isCode(stack: Stack, { path: [, logicalId = '', , name = ''] }: { path: readonly string[] }): boolean {
  const { Type: type } = resourceOf(stack.resolved, logicalId);
  return isSourceProperty(type, name) && ownValue(kindOf(type)?.direct ?? {}, name)?.isFile !== true;
}

/** The values that the stack shows, without secrets. */
function shownParameters(template: Template, values: Readonly<Record<string, string>>): Record<string, string> {
  const declared = mapOf(template['Parameters']);
  return Object.fromEntries(
    Object.entries(values).filter(([name, value]) => !isSecretParameter(mapOf(ownValue(declared, name)), value)),
  );
}

/** These values; all others are known to CloudFormation only. */
function givenOf(
  template: Template,
  values: Readonly<Record<string, string>>,
): { values: Readonly<Record<string, string>>; unknown: ReadonlySet<string> } {
  const names = Object.keys(mapOf(template['Parameters']));
  return { values, unknown: new Set(names.filter((name) => !Object.hasOwn(values, name))) };
}

function listPackaged(stack: PackagedStack): PackagedStack[] {
  return [stack, ...stack.children.flatMap(listPackaged)];
}
