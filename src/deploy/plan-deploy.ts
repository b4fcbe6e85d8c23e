import { UserError } from '../errors.ts';
import { ownValue } from '../support/own-value.ts';
import { isSecretParameter } from '../template/parameters.ts';
import { isMap, mapOf, type Template, type TemplateMap } from '../template/template.ts';
import { compareTemplates, describeDifference } from './compare-templates.ts';
import type { DeployedStack } from './describe-stack.ts';
import { recoveryAdvice, stackCondition } from './stack-status.ts';

/** What is to be deployed. */
export interface DeployRequest {
  stackName: string;
  /** As packaged. */
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

/** What a deployment has to do. Nothing has been done yet. */
export type DeployPlan =
  /** The stack is as wanted. */
  | { action: 'none'; reason: string; warnings: readonly string[] }
  | { action: 'create'; parameters: readonly ParameterInput[]; warnings: readonly string[] }
  | {
      action: 'update';
      parameters: readonly ParameterInput[];
      /** In a few words each, for people. Never empty. */
      differences: readonly string[];
      warnings: readonly string[];
    }
  /** It never came to life: after `question`, delete it and create it. */
  | RecreatePlan
  /** Someone else's operation: wait for its end and plan again. */
  | { action: 'wait'; reason: string }
  /** Nothing can be done before someone mends it. */
  | { action: 'stop'; error: UserError };

/** A stack that only deleting helps. */
export interface RecreatePlan {
  action: 'recreate';
  question: string;
  reason: string;
  /** Why `--yes` and CI must not answer: what is deleted may be somebody's work. undefined: they may. */
  unattended: UserError | undefined;
}

/** A plan that the state of the stack forces. */
export type ForcedPlan = Extract<DeployPlan, { action: 'recreate' | 'wait' | 'stop' }>;

/** Decides what a deployment has to do. `deployedTemplate` undefined: not known, so it differs. Pure. */
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

/** The answer of a run that asks nobody: yes, or an error where only a person may say so. */
export function answerUnasked({ unattended }: RecreatePlan): boolean {
  if (unattended !== undefined) throw unattended;
  return true;
}

/** What the stack's state alone demands, whatever is to be deployed; undefined: nothing special. Pure. */
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
    const error = new UserError(`Stack ${name} is in ${status} and protected against deletion`, {
      hint: `If it may be removed: \`aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name ${name} --region ${region}\`, then sync again.`,
    });
    return { action: 'stop', error };
  }
  const meaning = SOMEBODY_S[status];
  const reason = `Stack ${name} ${meaning ?? 'was never created successfully'} (${status}${because})`;
  const unattended = new UserError(reason, {
    hint: `--yes and CI do not delete such a stack. Sync without them and answer the question, or look at it and run \`aws cloudformation delete-stack --stack-name ${name} --region ${region}\`, then sync again.`,
  });
  return {
    action: 'recreate',
    reason,
    question: `${reason}. Delete it and create it again?`,
    unattended: meaning === undefined ? undefined : unattended,
  };
}

/** States in which a stack holds what somebody may want: a change set under review, resources that were to be kept. */
const SOMEBODY_S: Readonly<Record<string, string | undefined>> = {
  REVIEW_IN_PROGRESS: 'was never created, it only has a change set that somebody may want to review',
  DELETE_FAILED: 'could not be deleted completely',
};

function describeBusy({ name, status, updatedAt, createdAt }: DeployedStack): string {
  const since = updatedAt ?? createdAt;
  return `Stack ${name} is in ${status}${since === undefined ? '' : ` since ${since.toISOString()}`}`;
}

function describeBroken({ name, status, statusReason, region, deploymentMode }: DeployedStack): UserError {
  const because = statusReason === undefined ? '' : `: ${statusReason}`;
  return new UserError(`Stack ${name} cannot be updated, an earlier operation left it in ${status}${because}`, {
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
    // a parameter that is new is a difference of the template already
    if (wanted === undefined || current === undefined || wanted === current) return [];
    // CloudFormation does not tell the value of a secret: only it can compare
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
  throw new UserError(`The ${which} no value: no default in the template, none in stack ${stackName}, none given`, {
    hint: `Give ${missing.length === 1 ? 'it' : 'them'} with --parameter-overrides ${missing.map((name) => `${name}=VALUE`).join(' ')}`,
  });
}

function unknownOverrides({ template, parameters }: DeployRequest): string[] {
  const declared = declaredParameters(template);
  return Object.keys(parameters)
    .filter((name) => !Object.hasOwn(declared, name))
    .map((name) => `--parameter-overrides gives ${name}, but the template has no such parameter: left out`);
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
