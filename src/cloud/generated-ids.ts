import { createHash } from 'node:crypto';
import type { Stack } from '../model/stack.ts';
import { ownValue } from '../support/own-value.ts';
import { implicitKind, kindOf } from '../template/kinds/kinds.ts';
import type { GeneratedResource } from '../template/kinds/resource-kind.ts';
import { mapOf, resourceOf, scalarText } from '../template/template.ts';
import type { TemplateMap } from '../template/template.ts';
import type { DeployedResource, StackListing } from './sync-state.ts';

/** A resource of a template. */
export interface TemplatePlace {
  stack: Stack;
  logicalId: string;
}

/**
 * Finds the deployed resource of a logical id: the same id or, for a SAM layer, that id with ten hex digits appended. While
 * CloudFormation still deletes a replaced version, both are listed; the newest one wins.
 */
export function findDeployed(listing: StackListing, place: TemplatePlace): DeployedResource | undefined {
  const { logicalId, stack } = place;
  const deployed = ownValue(listing, logicalId);
  const deployedAs = kindOf(declared(stack, logicalId)['Type'])?.deployedAs;
  if (deployed !== undefined || deployedAs === undefined) return deployed;
  return newest(generated(listing, place, deployedAs));
}

/** A resource that SAM generates others for. Only stages need the stage's name. */
export interface CompanionOwner extends TemplatePlace {
  stageName?: string | undefined;
}

/**
 * Finds a resource that SAM generates for another one, by the name in a template's reference (`!Ref Fn.Alias`); undefined if
 * there is none. Logical ids are ambiguous: what SAM generates for `FnAlias` begins like what it generates for `Fn`. So
 * versions and aliases must have the ARN of their function or state machine, and stages the exact id of SAM's rules.
 */
export function findCompanion(
  listing: StackListing,
  owner: CompanionOwner,
  name: string,
): DeployedResource | undefined {
  const { stack, logicalId } = owner;
  const type = declared(stack, logicalId)['Type'];
  const { companions = {} } = (type === undefined ? implicitKind(logicalId) : kindOf(type)) ?? {};
  const companion = ownValue(companions, name);
  switch (companion?.ownedBy) {
    case 'arn':
      return qualified(listing, owner, companion);
    case 'id':
      return newest(generated(listing, owner, companion));
    case 'stage-name':
      return findStage(listing, owner, companion.type);
    case undefined:
      return undefined;
  }
}

/** `arn:aws:lambda:eu-west-1:123456789012:function:name:live` belongs to `name`, a state machine's to its whole ARN. */
function qualified(
  listing: StackListing,
  owner: TemplatePlace,
  companion: GeneratedResource,
): DeployedResource | undefined {
  const of = ownValue(listing, owner.logicalId)?.physicalId;
  if (of === undefined) return undefined;
  return newest(
    generated(listing, owner, companion).filter(({ physicalId }) => {
      const unqualified = physicalId.slice(0, physicalId.lastIndexOf(':'));
      return unqualified === of || unqualified.endsWith(`:${of}`);
    }),
  );
}

/** The physical id of a stage is its name. */
function findStage(listing: StackListing, owner: CompanionOwner, type: string): DeployedResource | undefined {
  const { stageName, stack } = owner;
  const isStage = (resource: DeployedResource): boolean =>
    resource.type === type && (stageName === undefined || resource.physicalId === stageName);
  for (const id of stageIds(owner)) {
    const stage = isDeclared(stack, id) ? undefined : ownValue(listing, id);
    if (stage !== undefined && isStage(stage)) return stage;
  }
  return undefined;
}

/** The logical ids that SAM may give to the stage of the API, the likeliest first. */
function stageIds({ stack, logicalId, stageName }: CompanionOwner): string[] {
  const api = declared(stack, logicalId);
  if (api['Type'] === undefined) return IMPLICIT_STAGES.map((suffix) => `${logicalId}${suffix}`);
  const named = stageName === undefined ? [] : [`${logicalId}${stageSuffix(stageName)}`];
  const unnamed = `${logicalId}Stage`;
  // SAM leaves a stage name that is an intrinsic function out of the id
  return isWrittenName(stack, logicalId) ? [...named, unnamed] : [unnamed, ...named];
}

/** Of `ServerlessRestApi` and `ServerlessHttpApi`, which SAM generates for events. */
const IMPLICIT_STAGES = ['ProdStage', 'ApiGatewayDefaultStage', 'Stage'];

function stageSuffix(name: string): string {
  if (/^[\p{L}\p{N}]+$/u.test(name)) return `${name}Stage`;
  if (name === '$default') return 'ApiGatewayDefaultStage';
  return `Stage${createHash('sha1').update(name).digest('hex').slice(0, 10)}`;
}

function isWrittenName(stack: Stack, logicalId: string): boolean {
  const written = mapOf(ownValue(mapOf(stack.source['Resources']), logicalId));
  return scalarText(mapOf(written['Properties'])['StageName']) !== undefined;
}

/** Resources of the type whose id is the owner's followed by the suffix, and which no template declares. */
function generated(
  listing: StackListing,
  { stack, logicalId }: TemplatePlace,
  { type, suffix }: GeneratedResource,
): DeployedResource[] {
  return Object.entries(listing).flatMap(([id, resource]) => {
    const isSuch = resource.type === type && id.startsWith(logicalId) && suffix.test(id.slice(logicalId.length));
    return isSuch && !isDeclared(stack, id) ? [resource] : [];
  });
}

function newest(resources: readonly DeployedResource[]): DeployedResource | undefined {
  return [...resources].sort((a, b) => b.updatedAt - a.updatedAt)[0];
}

function declared(stack: Stack, logicalId: string): TemplateMap {
  return resourceOf(stack.resolved, logicalId);
}

function isDeclared(stack: Stack, logicalId: string): boolean {
  return declared(stack, logicalId)['Type'] !== undefined;
}
