import { filePath, HTTPS_URL, S3_URI, zipPath } from './resource-kind.ts';
import type { PathProperty, ResourceKind } from './resource-kind.ts';

/** Nested stacks, stack sets, and extensions of CloudFormation. */
export const CLOUD_FORMATION = {
  'AWS::CloudFormation::Stack': { paths: [nestedTemplate('TemplateURL')] },
  'AWS::Serverless::Application': { paths: [nestedTemplate('Location')] },
  'AWS::CloudFormation::StackSet': { paths: [filePath('TemplateURL', HTTPS_URL)] },
  'AWS::CloudFormation::ModuleVersion': { paths: [zipPath('ModulePackage', S3_URI)] },
  'AWS::CloudFormation::ResourceVersion': { paths: [zipPath('SchemaHandlerPackage', S3_URI)] },
} as const satisfies Readonly<Record<string, ResourceKind>>;

/** The type of a stack, which a nested stack has in every stack, however its template writes it. */
export const STACK_TYPE = 'AWS::CloudFormation::Stack' satisfies keyof typeof CLOUD_FORMATION;

function nestedTemplate(property: string): PathProperty {
  return { property: [property], content: 'template', form: HTTPS_URL };
}
