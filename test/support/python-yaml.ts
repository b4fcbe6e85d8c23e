import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const VERSION = '6.0.3';
const CACHE = fileURLToPath(new URL('../../.cache/', import.meta.url));

/**
 * Loads each text with PyYAML as CloudFormation users' tools do (safe loader, `!Name` as `Fn::Name`, dates as text) and
 * gives the values as JSON in which numbers are `{"number": 1.5}` (text above 2^53), bytes are `{"binary": "base64"}` and a text that fails is `{"error": "…"}`.
 */
export async function loadWithPyYaml(texts: readonly string[]): Promise<unknown[]> {
  const packages = await pyYaml();
  const folder = await fs.mkdtemp(path.join(CACHE, 'texts-'));
  try {
    const file = path.join(folder, 'texts.json');
    await fs.writeFile(file, JSON.stringify(texts));
    const env = { ...process.env, PYTHONPATH: packages, PYTHONIOENCODING: 'utf-8', PYTHONUTF8: '1' };
    const { stdout } = await run(python(), ['-c', SCRIPT, file], { env, maxBuffer: 256 * 1024 * 1024 });
    return JSON.parse(stdout, (key, value: unknown) =>
      key === 'number' ? fromPython(String(value)) : value,
    ) as unknown[];
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

/** A folder with PyYAML, made once for the checkout. */
async function pyYaml(): Promise<string> {
  const folder = path.join(CACHE, `pyyaml-${VERSION}`);
  if (await isFolder(folder)) return folder;
  await fs.mkdir(CACHE, { recursive: true });
  const fresh = await fs.mkdtemp(path.join(CACHE, 'pyyaml-'));
  await run(python(), ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', fresh, `pyyaml==${VERSION}`]);
  // another test may have been faster; then its folder is as good
  await fs.rename(fresh, folder).catch(() => fs.rm(fresh, { recursive: true, force: true }));
  return folder;
}

function fromPython(text: string): number | string {
  if (/^-?\d{16,}$/.test(text)) return text;
  const value = Number(text.replace('inf', 'Infinity').replace('nan', 'NaN'));
  return value === 0 ? 0 : value;
}

async function isFolder(folder: string): Promise<boolean> {
  return fs.stat(folder).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

function python(): string {
  return process.platform === 'win32' ? 'python' : 'python3';
}

const SCRIPT = `
import base64, collections.abc, json, sys, yaml

class Loader(yaml.SafeLoader):
    pass

def intrinsic(loader, suffix, node):
    name = suffix if suffix in ('Ref', 'Condition') else 'Fn::' + suffix
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if suffix == 'GetAtt':
            value = value.split('.', 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = mapping(loader, node)
    return {name: value}

def mapping(loader, node):
    loader.flatten_mapping(node)
    result = {}
    for key, value in node.value:
        if not isinstance(loader.construct_object(key, deep=True), collections.abc.Hashable):
            raise TypeError('unhashable key')
        # keys as they are written: a template is JSON to CloudFormation
        result[key.value] = loader.construct_object(value, deep=True)
    return result

Loader.add_multi_constructor('!', intrinsic)
Loader.add_constructor('tag:yaml.org,2002:map', mapping)
Loader.add_constructor('tag:yaml.org,2002:timestamp', Loader.construct_yaml_str)

def plain(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return {'number': repr(float(value)) if abs(value) < 2**53 else str(value)}
    if isinstance(value, bytes):
        return {'binary': base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()}

def load(text):
    try:
        return plain(yaml.load(text, Loader))
    except Exception as error:
        return {'error': str(error).split('\\n')[0]}

with open(sys.argv[1], encoding='utf-8') as file:
    texts = json.load(file)
json.dump([load(text) for text in texts], sys.stdout)
`;
