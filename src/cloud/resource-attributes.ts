import { ownValue } from '../support/own-value.ts';
import { fillPattern } from '../template/kinds/attribute-patterns.ts';
import { kindOf } from '../template/kinds/kinds.ts';
import type { TemplateMap } from '../template/template.ts';
import type { DeployedResource } from './sync-state.ts';

/** The partition, Region and account of a stack. */
export interface StackPlace {
  partition: string;
  region: string;
  account: string;
}

/** Reads them from the stack's ARN, `arn:aws:cloudformation:eu-central-1:123456789012:stack/name/uuid`. */
export function placeOf(stackId: string): StackPlace {
  const [, partition = 'aws', , region = '', account = ''] = stackId.split(':');
  return { partition, region, account };
}

/** A deployed resource, and what its attributes follow from. */
export interface AttributedResource {
  deployed: DeployedResource;
  place: StackPlace;
  /** Of the template, as far as they are resolved. */
  properties: TemplateMap;
}

/**
 * An attribute (`Fn::GetAtt`) that follows from the physical id: names, URLs and ARNs, by the table of resource kinds.
 * undefined for everything else: only CloudFormation knows it.
 */
export function attributeOf(
  { deployed, place, properties }: AttributedResource,
  attribute: string,
): string | undefined {
  const pattern = ownValue(kindOf(deployed.type)?.attributes ?? {}, attribute);
  if (pattern === undefined) return undefined;
  return fillPattern(pattern, {
    ...place,
    physicalId: deployed.physicalId,
    property: (name) => {
      const value = ownValue(properties, name) ?? null;
      return value === null || typeof value === 'string' ? value : undefined;
    },
  });
}
