import { atEnd } from './at-end.ts';
import { startTestCloud } from './cloud.ts';
import type { TestCloud } from './cloud.ts';
import { startFaultProxy } from './fault-proxy.ts';
import type { AccountOptions, FaultProxy } from './fault-proxy.ts';

/** A cloud of the test file's own with a proxy before it. Both end with the file. */
export async function openCloud(
  settings?: Readonly<Record<string, string>>,
  account?: AccountOptions,
): Promise<{ cloud: TestCloud; proxy: FaultProxy }> {
  const cloud = await startTestCloud(settings);
  atEnd(() => cloud.stop());
  const proxy = await startFaultProxy(cloud.endpoint, account);
  atEnd(() => proxy.stop());
  return { cloud, proxy };
}
