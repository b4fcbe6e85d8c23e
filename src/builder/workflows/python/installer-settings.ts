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

async function readSettings({ env, identity }: Tools): Promise<KeyPart> {
  const variables = Object.entries(env)
    .filter(([name, value]) => /^(?:PIP|UV)_/.test(name) && !WITHOUT_EFFECT.test(name) && value !== undefined)
    .map(([name, value]) => `${name}=${withoutLogins(value ?? '')}`)
    .sort();
  // a container has its own files
  const files = identity === undefined ? settingsFiles(env) : [];
  const texts = await Promise.all(files.map((file) => readTextIfExists(file)));
  return [variables, texts.filter((text) => text !== undefined).map(withoutLoginLines)];
}

/** Returns the files in which pip and uv look for settings of the user and the machine. */
function settingsFiles(env: Tools['env']): string[] {
  const home = env['HOME'] ?? env['USERPROFILE'] ?? os.homedir();
  const config = env['XDG_CONFIG_HOME'] ?? path.join(home, '.config');
  const roaming = env['APPDATA'];
  const environment = env['VIRTUAL_ENV'];
  return [
    ...[env['PIP_CONFIG_FILE'], env['UV_CONFIG_FILE']].filter((file) => file !== undefined),
    path.join(config, 'pip', 'pip.conf'),
    path.join(config, 'uv', 'uv.toml'),
    path.join(home, '.pip', 'pip.conf'),
    ...(process.platform === 'darwin' ? [path.join(home, 'Library', 'Application Support', 'pip', 'pip.conf')] : []),
    ...(process.platform === 'win32' ? [] : ['/etc/pip.conf', '/etc/uv/uv.toml']),
    ...(environment === undefined ? [] : [path.join(environment, 'pip.conf'), path.join(environment, 'pip.ini')]),
    ...(roaming === undefined ? [] : [path.join(roaming, 'pip', 'pip.ini'), path.join(roaming, 'uv', 'uv.toml')]),
  ];
}
