import type { Aws } from '../aws/aws.ts';
import type { Template } from '../template/template.ts';
import { ensureBucketOf, findBucketOf, MANAGED_TAGS } from './managed-stack.ts';
import type { ManagedStack, ManagedStackTools } from './managed-stack.ts';

/** The stack with the bucket for artifacts. */
export const MANAGED_STACK_NAME = 'aws-sam-cli-managed-default';

/** Returns the name of the managed bucket; undefined if its stack does not exist (yet). One call. */
export async function findManagedBucket(aws: Aws): Promise<string | undefined> {
  return findBucketOf(aws, MANAGED_STACK);
}

/** The name that CloudFormation gives the bucket. */
const MANAGED_BUCKET = /aws-sam-cli-managed-default-samclisourcebucket-[a-z0-9]+/;

/** Returns the managed bucket with the artifacts of a deployed template; undefined if there are none in it. */
export function managedBucketIn(template: Template | undefined): string | undefined {
  return template === undefined ? undefined : MANAGED_BUCKET.exec(JSON.stringify(template))?.[0];
}

/** Returns the name of the managed bucket, creating it if needed. One call if it exists. */
export async function ensureManagedBucket(aws: Aws, tools: ManagedStackTools): Promise<string> {
  return ensureBucketOf(aws, MANAGED_STACK, tools);
}

const BUCKET_ARN = { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::${SamCliSourceBucket}' };
const OBJECTS_ARN = { 'Fn::Sub': 'arn:${AWS::Partition}:s3:::${SamCliSourceBucket}/*' };

/** The same resources, properties and output as SAM CLI's template. Needs no SAM transform and so no capabilities. */
const MANAGED_TEMPLATE: Template = {
  AWSTemplateFormatVersion: '2010-09-09',
  Description: 'Bucket for the artifacts of AWS SAM CLI and sam-sync',
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
  label: 'the S3 bucket for artifacts',
  otherwise: 'Or use your own bucket with --s3-bucket.',
};
