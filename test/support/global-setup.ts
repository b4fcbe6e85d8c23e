import { openCloudForks } from './cloud-forks/open.ts';

/** Runs once before all tests. Returns what runs after them. */
export async function setup(): Promise<() => Promise<void>> {
  // no test may reach a real account, whatever the machine's profile says
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
  return openCloudForks();
}
