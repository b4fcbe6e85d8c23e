/** Why a message of a failure is not one for users; undefined: it is. */
export function unclear(message: string): string | undefined {
  if (/^\s+at .*:\d+:\d+/m.test(message)) return 'it has a stack trace';
  if (/Deserialization|undefined|\[object|UnknownError|is in sync/i.test(message)) return 'it is not for users';
  const named =
    /CloudFormation|Lambda|S3|STS|API Gateway|Step Functions|Access denied|AWS credentials have expired|bucket/;
  return named.test(message) ? undefined : 'it does not name what failed';
}
