import * as os from 'node:os';
import * as path from 'node:path';
import { readTextIfExists } from '../../../support/files.ts';
import { withoutLoginLines, withoutLogins } from '../../build-key.ts';
import type { KeyPart } from '../../build-key.ts';
import type { Tools } from '../../tools/tools.ts';

/** Variables of pip and uv that do not decide what is installed, or hold logins. */
const WITHOUT_EFFECT =
  /_(?:CACHE_DIR|NO_CACHE|CERT|CERTS|TIMEOUT|RETRIES|PROXY|QUIET|VERBOSE|NO_COLOR|NO_PROGRESS|PROGRESS_BAR|LOG|NO_INPUT|VERSION_CHECK|REQUIRE_VIRTUALENV|LINK_MODE|USERNAME|PASSWORD|TOKEN|NATIVE_TLS)$|^UV_(?:CONCURRENT|TOOL|PUBLISH|PYTHON)_/;

const settingsOf = new WeakMap<Tools, Promise<KeyPart>>();

/** Returns the machine's settings for pip and uv that decide what is installed: variables and the user's files. */
export function installerSettings(tools: Tools): Promise<KeyPart> {
  const settings = settingsOf.get(tools) ?? readSettings(tools);
  settingsOf.set(tools, settings);
  return settings;
}

/** Returns the variables of pip and uv that decide what is installed. */
export function decidingVariables(env: Tools['env']): [name: string, value: string][] {
  return Object.entries(env).flatMap(([name, value]): [string, string][] =>
    /^(?:PIP|UV)_/.test(name) && !WITHOUT_EFFECT.test(name) && value !== undefined ? [[name, value]] : [],
  );
}

async function readSettings({ env, identity }: Tools): Promise<KeyPart> {
  const variables = decidingVariables(env)
    .map(([name, value]) => `${name}=${withoutLogins(value)}`)
    .sort();
  // a container has its own files
  const files = identity === undefined ? [...pipFiles(env), ...uvFiles(env)] : [];
  const texts = await Promise.all(files.map((file) => readTextIfExists(file)));
  return [variables, texts.filter((text) => text !== undefined).map(withoutLoginLines)];
}

/** Returns the files in which pip looks for settings of the user and the machine. */
export function pipFiles(env: Tools['env']): string[] {
  const { home, config, roaming } = foldersOf(env);
  const environment = env['VIRTUAL_ENV'];
  const shared = process.platform === 'win32' ? [] : (env['XDG_CONFIG_DIRS'] ?? '/etc/xdg').split(':').filter(Boolean);
  const forAll = env['PROGRAMDATA'] ?? env['ALLUSERSPROFILE'];
  return [
    ...(env['PIP_CONFIG_FILE'] === undefined ? [] : [env['PIP_CONFIG_FILE']]),
    path.join(config, 'pip', 'pip.conf'),
    path.join(home, '.pip', 'pip.conf'),
    ...shared.map((folder) => path.join(folder, 'pip', 'pip.conf')),
    ...(process.platform === 'darwin'
      ? [home, '/'].map((root) => path.join(root, 'Library', 'Application Support', 'pip', 'pip.conf'))
      : []),
    ...(process.platform === 'win32' ? [path.join(home, 'pip', 'pip.ini')] : ['/etc/pip.conf']),
    ...(environment === undefined ? [] : [path.join(environment, 'pip.conf'), path.join(environment, 'pip.ini')]),
    ...[roaming, forAll].flatMap((folder) => (folder === undefined ? [] : [path.join(folder, 'pip', 'pip.ini')])),
  ];
}

function uvFiles(env: Tools['env']): string[] {
  const { config, roaming } = foldersOf(env);
  return [
    ...(env['UV_CONFIG_FILE'] === undefined ? [] : [env['UV_CONFIG_FILE']]),
    path.join(config, 'uv', 'uv.toml'),
    ...(process.platform === 'win32' ? [] : ['/etc/uv/uv.toml']),
    ...(roaming === undefined ? [] : [path.join(roaming, 'uv', 'uv.toml')]),
  ];
}

function foldersOf(env: Tools['env']): { home: string; config: string; roaming: string | undefined } {
  const home = env['HOME'] ?? env['USERPROFILE'] ?? os.homedir();
  return { home, config: env['XDG_CONFIG_HOME'] ?? path.join(home, '.config'), roaming: env['APPDATA'] };
}
