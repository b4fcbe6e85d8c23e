import * as os from 'node:os';
import * as path from 'node:path';
import { parseKnownFiles } from '@smithy/core/config';

/** Environment variables. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Profiles (and `services.NAME`, `sso-session.NAME` sections) of `~/.aws/config`, overridden by `~/.aws/credentials`. */
export type AwsConfig = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

/** Returns the paths of both files: `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`, else in the user's `.aws` folder. */
export function awsConfigPaths(env: Env): { configFilepath: string; filepath: string } {
  return {
    configFilepath: expandHome(env['AWS_CONFIG_FILE'], env) ?? path.join(awsFolder(env), 'config'),
    filepath: expandHome(env['AWS_SHARED_CREDENTIALS_FILE'], env) ?? path.join(awsFolder(env), 'credentials'),
  };
}

/** Returns the user's `.aws` folder. */
export function awsFolder(env: Env): string {
  return path.join(homeFolder(env), '.aws');
}

/** Reads both files as the SDK does; a missing file counts as empty. */
export async function readAwsConfig(env: Env): Promise<AwsConfig> {
  return await parseKnownFiles({ ...awsConfigPaths(env), ignoreCache: true });
}

/** Returns the names of all profiles. */
export function profileNames(config: AwsConfig): string[] {
  return Object.keys(config).filter((name) => !/^(services|sso-session)\./.test(name));
}

function homeFolder(env: Env): string {
  return env['HOME'] || env['USERPROFILE'] || os.homedir();
}

function expandHome(file: string | undefined, env: Env): string | undefined {
  return file ? file.replace(/^~(?=$|[/\\])/, homeFolder(env)) : undefined;
}
