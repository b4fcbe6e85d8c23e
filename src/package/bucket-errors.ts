import { isAwsError, type AwsError } from '../aws/service-errors.ts';
import { UserError } from '../errors.ts';

/** The bucket of a failed request. */
export interface BucketAccess {
  bucket: string;
  /** Region of the deployment. */
  region: string;
  kmsKeyId: string | undefined;
}

/** Explains a missing bucket, one in another Region, and a policy that requires a KMS key. Returns other errors unchanged. */
export function explainBucketError(error: unknown, access: BucketAccess): unknown {
  if (!isAwsError(error)) return error;
  const region = bucketRegion(error);
  if (error.kind === 'wrong-region' || (region !== undefined && region !== access.region)) {
    return wrongRegion(error, access, region === access.region ? undefined : region);
  }
  if (error.code === 'NoSuchBucket') {
    return new UserError(`Bucket ${access.bucket} does not exist`, {
      cause: error,
      hint: 'Check --s3-bucket or s3_bucket in the samconfig, or use the managed bucket with --resolve-s3.',
    });
  }
  return error.kind === 'access-denied' ? denied(error, access) : error;
}

function denied(error: AwsError, { bucket, kmsKeyId }: BucketAccess): UserError {
  const isWrite = /^(PutObject|CopyObject|CreateMultipartUpload)$/.test(error.operation);
  // a key does not help if the identity lacks permission
  const mayNeedKey = isWrite && kmsKeyId === undefined && !error.serviceMessage.includes('identity-based policy');
  const hints = [
    mayNeedKey ? `If the policy of bucket ${bucket} requires SSE-KMS, pass its key with --kms-key-id. Otherwise:` : '',
    error.hint ?? '',
    'To use another bucket, pass --s3-bucket or --resolve-s3.',
  ];
  // S3 often names neither the bucket nor the reason
  const message = error.message.includes(bucket)
    ? error.message
    : error.message.replace(/^Access denied/, `Access to bucket ${bucket} denied`);
  return new UserError(message, { cause: error, hint: hints.filter(Boolean).join(' ') });
}

function wrongRegion(cause: AwsError, { bucket, region }: BucketAccess, actual: string | undefined): UserError {
  const options = [
    `use a bucket in ${region} with --s3-bucket`,
    'use the managed bucket with --resolve-s3',
    ...(actual === undefined ? [] : [`deploy to ${actual} with --region`]),
  ];
  return new UserError(
    `Bucket ${bucket} is in ${actual ?? 'another Region'}, but the stack is in ${region}: Lambda reads code from its own Region only`,
    { cause, hint: `Nothing was uploaded. To continue: ${options.join('; ')}.` },
  );
}

/** Returns the bucket's Region, which S3 reports with every rejection. */
export function bucketRegion({ cause }: AwsError): string | undefined {
  const { $response } = cause as { $response?: { headers?: Record<string, string> } };
  return $response?.headers?.['x-amz-bucket-region'];
}
