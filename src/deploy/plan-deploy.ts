import { UserError } from '../errors.ts';
import { ownValue } from '../support/own-value.ts';
import { isSecretParameter } from '../template/parameters.ts';
import { isMap, mapOf, type Template, type TemplateMap } from '../template/template.ts';
import { compareTemplates, describeDifference } from './compare-templates.ts';
import type { DeployedStack } from './describe-stack.ts';
import { recoveryAdvice, stackCondition } from './stack-status.ts';

/** A requested deployment. */
export interface DeployRequest {
  stackName: string;
  /** The packaged template. */
  template: Template;
  /** `--parameter-overrides`. */
  parameters: Readonly<Record<string, string>>;
  /** undefined: a stack keeps its tags; an empty record removes them. */
  tags: Readonly<Record<string, string>> | undefined;
  capabilities: readonly string[];
  roleArn: string | undefined;
  /** undefined: a stack keeps its topics. */
  notificationArns: readonly string[] | undefined;
  express: boolean;
}

/** A parameter of CreateStack or UpdateStack. */
export type ParameterInput =
  | { ParameterKey: string; ParameterValue: string }
  | { ParameterKey: string; UsePreviousValue: true };

/** What a deployment will do. */
export type DeployPlan =
  /** The stack is up to date. */
  | { action: 'none'; reason: string; warnings: readonly string[] }
  | { action: 'create'; parameters: readonly ParameterInput[]; warnings: readonly string[] }
  | {
      action: 'update';
      parameters: readonly ParameterInput[];
      /** Descriptions for the user. Never empty. */
      differences: readonly string[];
      warnings: readonly string[];
    }
  /** The stack was never created: ask `question`, then delete and create it. */
  | RecreatePlan
  /** Another operation is running: wait for its end and plan again. */
  | { action: 'wait'; reason: string }
  /** The stack needs a fix by hand. */
  | { action: 'stop'; error: UserError };

/** A plan for a stack that can only be deleted. */
export interface RecreatePlan {
  action: 'recreate';
  question: string;
  reason: string;
  /**
   * Why only the stack's name confirms, not `--yes`, CI or a piped `y`: the stack may hold something of value. undefined: all
   * of them may.
   */
  unattended: UserError | undefined;
}

/** A plan that follows from the state of the stack alone. */
export type ForcedPlan = Extract<DeployPlan, { action: 'recreate' | 'wait' | 'stop' }>;

/** Plans a deployment. An undefined `deployedTemplate` counts as different. Pure. */
export function planDeploy(
  request: DeployRequest,
  deployed: DeployedStack | undefined,
  deployedTemplate: Template | undefined,
): DeployPlan {
  const forced = planByState(deployed);
  if (forced !== undefined) return forced;
  if (deployed === undefined || stackCondition(deployed.status) === 'absent') {
    return { action: 'create', parameters: createParameters(request), warnings: unknownOverrides(request) };
  }
  const differences = [
    ...templateDifferences(request.template, deployedTemplate),
    ...parameterDifferences(request, deployed),
    ...settingDifferences(request, deployed),
  ];
  const warnings = unknownOverrides(request);
  if (differences.length === 0) {
    return { action: 'none', reason: `Stack ${deployed.name} is up to date: nothing to deploy`, warnings };
  }
  return { action: 'update', parameters: updateParameters(request, deployed), differences, warnings };
}

/** Confirms in a run that asks no questions. Throws if only a person may confirm. */
export function answerUnasked({ unattended }: RecreatePlan): boolean {
  if (unattended !== undefined) throw unattended;
  return true;
}

/** Plans what the state of the stack requires before any deployment; undefined: nothing. Pure. */
export function planByState(deployed: DeployedStack | undefined): ForcedPlan | undefined {
  switch (deployed && stackCondition(deployed.status)) {
    case 'busy':
      return deployed && { action: 'wait', reason: describeBusy(deployed) };
    case 'broken':
      return deployed && { action: 'stop', error: describeBroken(deployed) };
    case 'never-created':
      return deployed && planRecreation(deployed);
    default:
      return undefined;
  }
}

function planRecreation(deployed: DeployedStack): ForcedPlan {
  const { name, status, statusReason, region } = deployed;
  const because = statusReason === undefined ? '' : `: ${statusReason}`;
  if (deployed.terminationProtection) {
    const error = new UserError(`Stack ${name} is in ${status} and has termination protection`, {
      hint: `To allow its deletion, run \`aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name ${name} --region ${region}\`, then sync again.`,
    });
    return { action: 'stop', error };
  }
  const valuable = POSSIBLY_VALUABLE[status];
  const reason = `Stack ${name} ${valuable ?? 'was never created successfully'} (${status}${because})`;
  const unattended = new UserError(reason, {
    hint: `--yes and CI do not delete such a stack. Sync without them and type its name when asked, or inspect it and run \`aws cloudformation delete-stack --stack-name ${name} --region ${region}\`, then sync again.`,
  });
  return {
    action: 'recreate',
    reason,
    question: `${reason}. Delete it and create it again?${valuable === undefined ? '' : ` Type ${name} to confirm:`}`,
    unattended: valuable === undefined ? undefined : unattended,
  };
}

/** States in which a stack may hold something of value: a change set under review, retained resources. */
const POSSIBLY_VALUABLE: Readonly<Record<string, string | undefined>> = {
  REVIEW_IN_PROGRESS: 'was never created and only has a change set, which may be under review',
  DELETE_FAILED: 'could not be deleted completely',
};

function describeBusy({ name, status, updatedAt, createdAt }: DeployedStack): string {
  const since = updatedAt ?? createdAt;
  return `Stack ${name} is in ${status}${since === undefined ? '' : ` since ${since.toISOString()}`}`;
}

function describeBroken({ name, status, statusReason, region, deploymentMode }: DeployedStack): UserError {
  const because = statusReason === undefined ? '' : `: ${statusReason}`;
  return new UserError(`Stack ${name} cannot be updated: an earlier operation left it in ${status}${because}`, {
    hint: recoveryAdvice({ stackName: name, region, status, deploymentMode }),
  });
}

function templateDifferences(template: Template, deployed: Template | undefined): string[] {
  if (deployed === undefined) return ['template'];
  return compareTemplates(deployed, template).map(describeDifference);
}

function parameterDifferences({ template, parameters }: DeployRequest, deployed: DeployedStack): string[] {
  return Object.entries(declaredParameters(template)).flatMap(([name, declaration]) => {
    const wanted = ownValue(parameters, name);
    const current = ownValue(deployed.parameters, name);
    // a new parameter is already a difference of the template
    if (wanted === undefined || current === undefined || wanted === current) return [];
    // CloudFormation does not reveal secrets: only it can compare them
    return [
      isSecretParameter(declaration, current)
        ? `secret parameter ${name} may have changed`
        : `parameter ${name} changed`,
    ];
  });
}

function settingDifferences(request: DeployRequest, deployed: DeployedStack): string[] {
  const { tags, roleArn, notificationArns } = request;
  const differs: [string, boolean][] = [
    ['tags changed', tags !== undefined && !sameRecord(tags, deployed.tags)],
    ['role changed', roleArn !== undefined && roleArn !== deployed.roleArn],
    [
      'notification topics changed',
      notificationArns !== undefined && !sameSet(notificationArns, deployed.notificationArns),
    ],
  ];
  return differs.filter(([, different]) => different).map(([text]) => text);
}

function createParameters(request: DeployRequest): ParameterInput[] {
  const declared = declaredParameters(request.template);
  checkValues(request, declared, {});
  return Object.keys(declared).flatMap((name) => {
    const value = ownValue(request.parameters, name);
    return value === undefined ? [] : [{ ParameterKey: name, ParameterValue: value }];
  });
}

function updateParameters(request: DeployRequest, deployed: DeployedStack): ParameterInput[] {
  const declared = declaredParameters(request.template);
  checkValues(request, declared, deployed.parameters);
  return Object.keys(declared).flatMap((name): ParameterInput[] => {
    const value = ownValue(request.parameters, name);
    if (value !== undefined) return [{ ParameterKey: name, ParameterValue: value }];
    return Object.hasOwn(deployed.parameters, name) ? [{ ParameterKey: name, UsePreviousValue: true }] : [];
  });
}

function checkValues(
  { parameters, stackName }: DeployRequest,
  declared: Record<string, TemplateMap>,
  previous: Readonly<Record<string, string>>,
): void {
  const missing = Object.entries(declared)
    .filter(
      ([name, { Default }]) =>
        !Object.hasOwn(parameters, name) && !Object.hasOwn(previous, name) && Default === undefined,
    )
    .map(([name]) => name);
  if (missing.length === 0) return;
  const which = missing.length === 1 ? `parameter ${missing[0]} has` : `parameters ${missing.join(', ')} have`;
  throw new UserError(`The ${which} no value: neither the template, stack ${stackName} nor the options provide one`, {
    hint: `Pass ${missing.length === 1 ? 'it' : 'them'} with --parameter-overrides ${missing.map((name) => `${name}=VALUE`).join(' ')}`,
  });
}

function unknownOverrides({ template, parameters }: DeployRequest): string[] {
  const declared = declaredParameters(template);
  return Object.keys(parameters)
    .filter((name) => !Object.hasOwn(declared, name))
    .map((name) => `--parameter-overrides sets ${name}, but the template has no such parameter: ignored`);
}

function declaredParameters(template: Template): Record<string, TemplateMap> {
  const entries = Object.entries(mapOf(template['Parameters']));
  return Object.fromEntries(entries.map(([name, declaration]) => [name, isMap(declaration) ? declaration : {}]));
}

function sameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return (
    Object.keys(a).length === Object.keys(b).length &&
    Object.entries(a).every(([key, value]) => ownValue(b, key) === value)
  );
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}
