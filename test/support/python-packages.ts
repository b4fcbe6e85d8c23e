import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as path from 'node:path';
import { gzipSync, strToU8, zipSync } from 'fflate';
import { afterAll, onTestFinished } from 'vitest';

/** A package as it would lie in an index. */
export interface TinyPackage {
  name: string;
  version: string;
  /** Path → content. */
  files: Record<string, string>;
  requires?: readonly string[];
  /** `py3-none-any` if it runs everywhere. */
  tag?: string;
  /** Commands of the package: name → `module:function`. */
  scripts?: Record<string, string>;
  /** Its `RECORD` has the hashes of its files, as those of real wheels have. */
  hashed?: boolean;
  /** It is a source archive, with these files. */
  isSource?: boolean;
}

/** The bytes and the name of a wheel. */
function makeWheel(tiny: TinyPackage): { file: string; content: Uint8Array; sha256: string } {
  const { name, version, files, requires = [], tag = 'py3-none-any', scripts = {} } = tiny;
  const info = `${name.replaceAll('-', '_')}-${version}.dist-info`;
  const requirements = requires.map((line) => `Requires-Dist: ${line}\n`).join('');
  const commands = Object.entries(scripts).map(([command, entry]) => `${command} = ${entry}\n`);
  const all: Record<string, string> = {
    ...files,
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n${requirements}`,
    [`${info}/WHEEL`]: `Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: ${tag}\n`,
    ...(commands.length > 0 && { [`${info}/entry_points.txt`]: `[console_scripts]\n${commands.join('')}` }),
  };
  const hashOf = (text: string): string =>
    tiny.hashed ? `sha256=${createHash('sha256').update(text).digest('base64url')}` : '';
  const listed = Object.entries(all).map(([file, text]) => `${file},${hashOf(text)},`);
  all[`${info}/RECORD`] = [...listed, `${info}/RECORD,,`, ''].join('\n');
  const entries = Object.fromEntries(Object.entries(all).map(([file, text]) => [file, strToU8(text)]));
  const content = zipSync(entries, { mtime: new Date(2000, 0, 1) });
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { file: `${name.replaceAll('-', '_')}-${version}-${tag}.whl`, content, sha256 };
}

/** Writes a wheel into a folder and returns its path. */
export async function writeWheel(dir: string, tiny: TinyPackage): Promise<string> {
  const { file, content } = makeWheel(tiny);
  await fs.mkdir(dir, { recursive: true });
  await fs.writeFile(path.join(dir, file), content);
  return path.join(dir, file);
}

function makeArchive(tiny: TinyPackage): { file: string; content: Uint8Array; sha256: string } {
  if (!tiny.isSource) return makeWheel(tiny);
  const content = makeSdist(tiny.name, tiny.version, tiny.files);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { file: `${tiny.name}-${tiny.version}.tar.gz`, content, sha256 };
}

/** A package index on this machine (PEP 503). */
export interface PackageIndex {
  /** For `--index-url`. */
  url: string;
  /** Paths that were asked for. */
  requests: string[];
}

/** Serves packages until the running test (the file, outside of one) ends. `login`: `user:password` that it asks for. */
export async function startIndex(packages: readonly TinyPackage[], login?: string): Promise<PackageIndex> {
  const archives = packages.map((tiny) => ({ ...makeArchive(tiny), name: tiny.name }));
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const place = new URL(request.url ?? '/', 'http://127.0.0.1').pathname;
    requests.push(place);
    const expected = login && `Basic ${Buffer.from(login).toString('base64')}`;
    if (expected !== undefined && request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="index"' }).end();
      return;
    }
    const archive = archives.find(({ file }) => place === `/files/${file}`);
    if (archive) {
      response.end(archive.content);
      return;
    }
    const found = archives.filter(({ name }) => place === `/simple/${name}/`);
    if (found.length === 0) {
      response.writeHead(404).end();
      return;
    }
    const links = found.map(({ file, sha256 }) => `<a href="/files/${file}#sha256=${sha256}">${file}</a>`);
    response.setHeader('content-type', 'text/html').end(links.join('\n'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  try {
    onTestFinished(close);
  } catch {
    afterAll(close);
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/`, requests };
}

/** A build backend that needs nothing: what lies in `src/` becomes a wheel. */
const BACKEND = `
import os, re, zipfile

def _project():
    text = open("pyproject.toml").read()
    value = lambda name: re.search(r'^%s = "(.*)"' % name, text, re.M).group(1)
    listed = re.search(r"^dependencies = \\[(.*)\\]", text, re.M)
    return value("name"), value("version"), re.findall(r'"([^"]+)"', listed.group(1)) if listed else []

def _write(folder, tag, files):
    name, version, requires = _project()
    python = re.search(r'^requires-python = "(.*)"', open("pyproject.toml").read(), re.M).group(1)
    info = "%s-%s.dist-info" % (name.replace("-", "_"), version)
    lines = ["Metadata-Version: 2.1", "Name: " + name, "Version: " + version, "Requires-Python: " + python] + ["Requires-Dist: " + r for r in requires]
    files = dict(files, **{
        info + "/METADATA": "\\n".join(lines) + "\\n",
        info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: tiny\\nRoot-Is-Purelib: true\\nTag: %s\\n" % tag,
    })
    files[info + "/RECORD"] = "".join(f + ",,\\n" for f in files) + info + "/RECORD,,\\n"
    file = "%s-%s-%s.whl" % (name.replace("-", "_"), version, tag)
    with zipfile.ZipFile(os.path.join(folder, file), "w") as archive:
        for place, text in files.items():
            archive.writestr(place, text)
    return file

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = {}
    for folder, _, names in os.walk("src"):
        for name in names:
            place = os.path.join(folder, name)
            if name.endswith(".py"):
                files[os.path.relpath(place, "src").replace(os.sep, "/")] = open(place).read()
    return _write(wheel_directory, "py3-none-any", files)

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _write(wheel_directory, "py3-none-any", {"_editable_%s.pth" % _project()[0]: os.path.abspath("src") + "\\n"})

def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError
`;

/** The files of a package on this machine, with the module `name` and its VALUE, that is built without any download. */
export function localPackage(
  dir: string,
  name: string,
  how: { value: string; dependencies?: readonly string[]; more?: string },
): Record<string, string> {
  const dependencies = (how.dependencies ?? []).map((dependency) => `"${dependency}"`).join(', ');
  const lines = [
    '[project]',
    `name = "${name}"`,
    'version = "1.0"',
    'requires-python = ">=3.9"',
    `dependencies = [${dependencies}]`,
    '[build-system]',
    'requires = []',
    'build-backend = "backend"',
    'backend-path = ["."]',
    how.more ?? '',
  ];
  return {
    [`${dir}/pyproject.toml`]: `${lines.join('\n')}\n`,
    [`${dir}/backend.py`]: BACKEND,
    [`${dir}/src/${name}/__init__.py`]: `VALUE = "${how.value}"\n`,
  };
}

/** The bytes of a source archive (`.tar.gz`) with these files below `<name>-<version>/`. */
function makeSdist(name: string, version: string, files: Record<string, string>): Uint8Array {
  const all = { ...files, 'PKG-INFO': `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n` };
  const blocks = Object.entries(all).flatMap(([file, text]) => {
    const content = strToU8(text);
    const header = new Uint8Array(512);
    const put = (value: string, at: number): void => header.set(strToU8(value), at);
    put(`${name}-${version}/${file}`, 0);
    put('0000644\x000000000\x000000000\0', 100);
    put(`${content.length.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 124);
    put('        0', 148);
    put('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const padded = new Uint8Array(Math.ceil(content.length / 512) * 512);
    padded.set(content);
    return [header, padded];
  });
  return gzipSync(Buffer.concat([...blocks, new Uint8Array(1024)]), { mtime: 0 });
}
