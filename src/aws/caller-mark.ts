import { createHash } from 'node:crypto';
import type { Aws } from './aws.ts';

/**
 * Returns a hash of the account, Region, profile and endpoints that calls go to. It differs between accounts; it may also
 * differ between two sessions in the same account, where credentials do not name their account. Makes no call of its own, except
 * those that credentials take.
 */
export async function callerMark(aws: Aws): Promise<string> {
  const { client } = await aws.lambda();
  const { accountId, accessKeyId } = await client.config.credentials();
  const endpoints = await Promise.all([aws.endpoint('lambda'), aws.endpoint('cloudFormation')]);
  const parts = [accountId, accountId === undefined ? accessKeyId : '', await aws.region(), await aws.profile()];
  return createHash('sha256')
    .update(JSON.stringify([...parts, ...endpoints]))
    .digest('hex');
}
