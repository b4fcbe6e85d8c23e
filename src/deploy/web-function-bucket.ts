import { createHash } from 'node:crypto';
import type { Template } from '../template/template.ts';
import { MANAGED_TAGS } from './managed-stack.ts';
import type { ManagedStack } from './managed-stack.ts';

/**
 * Returns the stack with the bucket for the code of a stack's Web Functions, named as in SAM CLI. Lambda reads the code as long
 * as a revision exists, whereas objects in the managed bucket may be removed.
 */
export function webFunctionStack(stackName: string): ManagedStack & { exportName: string } {
  const name = `${stackName.slice(0, 100)}-${md5(stackName)}-WebFunctionCode`;
  const exportName = `${name}-Bucket`;
  return {
    name,
    exportName,
    template: bucketTemplate(stackName, exportName),
    output: OUTPUT,
    stepId: 'web-function-bucket',
    label: 'the S3 bucket for the code of Web Functions',
    otherwise:
      'Or use your own bucket with --s3-bucket. It needs versioning and a policy that allows Lambda to read it.',
  };
}

const OUTPUT = 'WebFunctionCodeBucket';

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex').slice(0, 8);
}

const BUCKET_ARN = { 'Fn::GetAtt': ['CodeBucket', 'Arn'] };
const OBJECTS_ARN = { 'Fn::Sub': '${CodeBucket.Arn}/*' };
/** All revisions of all Web Functions in the account. */
const REVISIONS = 'arn:${AWS::Partition}:lambda:*:${AWS::AccountId}:web-function/*/revision/*';

/** The same resources, properties, output and export as SAM CLI's, so that either tool can create it. */
function bucketTemplate(stackName: string, exportName: string): Template {
  return {
    AWSTemplateFormatVersion: '2010-09-09',
    Description: `Bucket for the code of Lambda Web Functions of stack ${stackName} (AWS SAM CLI, sam-sync)`,
    Resources: {
      CodeBucket: {
        Type: 'AWS::S3::Bucket',
        Properties: {
          VersioningConfiguration: { Status: 'Enabled' },
          // Lambda cannot decrypt with the key aws/s3
          BucketEncryption: {
            ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
          },
          PublicAccessBlockConfiguration: {
            BlockPublicAcls: true,
            BlockPublicPolicy: true,
            IgnorePublicAcls: true,
            RestrictPublicBuckets: true,
          },
          Tags: [
            { Key: 'ManagedStackSource', Value: MANAGED_TAGS.ManagedStackSource },
            { Key: 'SamCliParentStack', Value: stackName },
          ],
        },
      },
      CodeBucketPolicy: {
        Type: 'AWS::S3::BucketPolicy',
        Properties: {
          Bucket: { Ref: 'CodeBucket' },
          PolicyDocument: { Version: '2012-10-17', Statement: [LAMBDA_MAY_READ, DENY_PLAIN_HTTP] },
        },
      },
    },
    Outputs: { [OUTPUT]: { Value: { Ref: 'CodeBucket' }, Export: { Name: exportName } } },
  };
}

const LAMBDA_MAY_READ = {
  Sid: 'AllowLambdaWebFunctionCodeAccess',
  Effect: 'Allow',
  Principal: { Service: 'lambda.amazonaws.com' },
  Action: ['s3:GetObject', 's3:GetObjectVersion'],
  Resource: OBJECTS_ARN,
  Condition: {
    StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
    ArnLike: { 'aws:SourceArn': { 'Fn::Sub': REVISIONS } },
  },
};

const DENY_PLAIN_HTTP = {
  Sid: 'DenyInsecureTransport',
  Effect: 'Deny',
  Principal: '*',
  Action: 's3:*',
  Resource: [BUCKET_ARN, OBJECTS_ARN],
  Condition: { Bool: { 'aws:SecureTransport': 'false' } },
};
