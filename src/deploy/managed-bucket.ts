import type { Aws } from '../aws/aws.ts';
import type { Template } from '../template/template.ts';
import { ensureBucketOf, findBucketOf, MANAGED_TAGS } from './managed-stack.ts';
import type { ManagedStack, ManagedStackTools } from './managed-stack.ts';

/** The stack that AWS SAM CLI and we share: whoever comes first makes it, the other one uses it. */
export const MANAGED_STACK_NAME = 'aws-sam-cli-managed-default';

/** The name of the managed bucket, or undefined if its stack is not there (yet). One call. */
export async function findManagedBucket(aws: Aws): Promise<string | undefined> {
  return findBucketOf(aws, MANAGED_STACK);
}

/** As CloudFormation names the bucket of the managed stack. */
const MANAGED_BUCKET = /aws-sam-cli-managed-default-samclisourcebucket-[a-z0-9]+/;

/** The managed bucket that a deployed template's artifacts are in; undefined: they are elsewhere, or there are none. */
export function managedBucketIn(template: Template | undefined): string | undefined {
  return template === undefined ? undefined : MANAGED_BUCKET.exec(JSON.stringify(template))?.[0];
}

/** The name of the managed bucket, which is made if it is not there. One call if it is. */
export async function ensureManagedBucket(aws: Aws, tools: ManagedStackTools): Promise<string> {
  return ensureBucketOf(aws, MANAGED_STACK, tools);
}

const BUCKET_ARN = { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::${SamCliSourceBucket}' };
const OBJECTS_ARN = { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::${SamCliSourceBucket}/*' };

/** The same resources, properties and output as AWS SAM CLI's; it needs no SAM transform and so no capabilities. */
const MANAGED_TEMPLATE: Template = {
  AWSTemplateFormatVersion: '2010-09-09',
  Description: 'The bucket in which AWS SAM CLI and sam-sync keep what they deploy',
  Resources: {
    SamCliSourceBucket: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        PublicAccessBlockConfiguration: {
          BlockPublicPolicy: true,
          BlockPublicAcls: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }],
        },
        VersioningConfiguration: { Status: 'Enabled' },
        Tags: [{ Key: 'ManagedStackSource', Value: MANAGED_TAGS.ManagedStackSource }],
      },
    },
    SamCliSourceBucketBucketPolicy: {
      Type: 'AWS::S3::BucketPolicy',
      Properties: {
        Bucket: { Ref: 'SamCliSourceBucket' },
        PolicyDocument: {
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'serverlessrepo.amazonaws.com' },
              Action: ['s3:GetObject'],
              Resource: OBJECTS_ARN,
              Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
            },
            {
              Effect: 'Deny',
              Principal: '*',
              Action: ['s3:*'],
              Resource: [BUCKET_ARN, OBJECTS_ARN],
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            },
          ],
        },
      },
    },
  },
  Outputs: { SourceBucket: { Value: { Ref: 'SamCliSourceBucket' } } },
};

const MANAGED_STACK: ManagedStack = {
  name: MANAGED_STACK_NAME,
  template: MANAGED_TEMPLATE,
  output: 'SourceBucket',
  stepId: 'managed-bucket',
  label: `Making the S3 bucket for what is deployed (stack ${MANAGED_STACK_NAME})`,
  otherwise: 'Or name a bucket of your own with --s3-bucket.',
};
