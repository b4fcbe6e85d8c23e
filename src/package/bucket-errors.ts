import { isAwsError, type AwsError } from '../aws/service-errors.ts';
import { UserError } from '../errors.ts';

/** The bucket that something could not be stored in. */
export interface BucketAccess {
  bucket: string;
  /** Where we deploy to. */
  region: string;
  kmsKeyId: string | undefined;
}

/** What S3 refused, with what helps: no such bucket, one elsewhere, a policy that requires a KMS key. Other errors stay as they are. */
export function explainBucketError(error: unknown, access: BucketAccess): unknown {
  if (!isAwsError(error)) return error;
  const region = bucketRegion(error);
  if (error.kind === 'wrong-region' || (region !== undefined && region !== access.region)) {
    return elsewhere(error, access, region === access.region ? undefined : region);
  }
  if (error.code === 'NoSuchBucket') {
    return new UserError(`There is no bucket ${access.bucket}`, {
      cause: error,
      hint: 'Check the name that --s3-bucket or the samconfig gives, or use the managed bucket with --resolve-s3.',
    });
  }
  const isWrite = /^(PutObject|CopyObject|CreateMultipartUpload)$/.test(error.operation);
  if (error.kind !== 'access-denied' || !isWrite || access.kmsKeyId !== undefined) return error;
  // what the identity may not do, no key makes good
  if (error.serviceMessage.includes('identity-based policy')) return error;
  return new UserError(error.message, {
    cause: error,
    hint: `If the policy of bucket ${access.bucket} requires SSE-KMS, name its key with --kms-key-id. Otherwise: ${error.hint ?? ''}`,
  });
}

function elsewhere(cause: AwsError, { bucket, region }: BucketAccess, actual: string | undefined): UserError {
  const options = [
    `name a bucket in ${region} with --s3-bucket`,
    'use the managed bucket with --resolve-s3',
    ...(actual === undefined ? [] : [`deploy to ${actual} with --region`]),
  ];
  return new UserError(
    `Bucket ${bucket} is in ${actual ?? 'another Region'}, but the stack is in ${region}: Lambda reads code from its own Region only`,
    { cause, hint: `Nothing was uploaded. Do one of these: ${options.join('; ')}.` },
  );
}

/** S3 says with any refusal in which Region the bucket is. */
function bucketRegion({ cause }: AwsError): string | undefined {
  const { $response } = cause as { $response?: { headers?: Record<string, string> } };
  return $response?.headers?.['x-amz-bucket-region'];
}
