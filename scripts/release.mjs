// npm run release -- 0.2.0: makes a release from a clean checkout, as CONTRIBUTING.md describes. It commits version and
// changelog, builds and packs that commit, installs the package in an empty folder and syncs an example with it, then tags.
// It publishes nothing.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import semver from 'semver';
import { root } from './install.mjs';

const version = process.argv[2] ?? '';
const out = path.join(root, 'release');
const isWindows = process.platform === 'win32';

checkStart();
writeVersion();
git('commit', '--quiet', '-am', `Release ${version}`);
try {
  const tarball = pack();
  await tryIt(tarball);
  const provenance = writeProvenance(tarball);
  git('tag', '--annotate', `v${version}`, '-m', `sam-sync ${version}`);
  console.log(`\nRelease ${version}:\n  ${tarball}\n  ${provenance}\n  tag v${version}`);
  console.log(`Next: git push --follow-tags, then publish from CI (CONTRIBUTING.md, "Make a release").`);
} catch (error) {
  console.error(`\nError: ${error.message}`);
  console.error('Nothing is tagged. `git reset --hard HEAD~1` removes the release commit.');
  process.exitCode = 1;
}

/** Ends the script unless the version is new, its changes are listed and the checkout is clean. */
function checkStart() {
  const current = readManifest().version;
  if (semver.valid(version) !== version) fail('usage: npm run release -- VERSION, for example 0.2.0');
  // the version of package.json may be unreleased
  if (semver.lt(version, current)) fail(`${version} is older than ${current}, the version of package.json`);
  if (git('tag', '--list', `v${version}`) !== '') fail(`the tag v${version} exists`);
  const changes = git('status', '--porcelain');
  if (changes !== '') fail(`the checkout has uncommitted changes:\n${changes}`);
  if (!changelogSection().test(readChangelog())) fail(`CHANGELOG.md has no section "## ${version} (unreleased)"`);
}

/** Writes the version to package.json and its lock, and the date to the changelog. */
function writeVersion() {
  npm('version', version, '--no-git-tag-version', '--allow-same-version', '--ignore-scripts');
  const today = new Date().toISOString().slice(0, 10);
  const text = readChangelog().replace(changelogSection(), `## ${version} (${today})`);
  fs.writeFileSync(path.join(root, 'CHANGELOG.md'), text);
  run('docs');
}

/** Builds and packs the commit. The package contains a list of its components (SBOM). */
function pack() {
  run('prepare');
  run('supply-chain');
  fs.mkdirSync(out, { recursive: true });
  // npm would build again, without the list
  npm('pack', '--ignore-scripts', '--pack-destination', out);
  return path.join(out, `${readManifest().name}-${version}.tgz`);
}

/** Installs the package in an empty folder and syncs the example to a local cloud with it. */
async function tryIt(tarball) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sam-sync-release-'));
  try {
    npm('install', '--global', '--prefix', folder, tarball);
    const bin = isWindows ? folder : path.join(folder, 'bin');
    const app = path.join(folder, 'hello-world');
    fs.cpSync(path.join(root, 'examples', 'hello-world'), app, {
      recursive: true,
      filter: (source) => !/[\\/](?:\.aws-sam|node_modules)$/.test(source),
    });
    const found = exec(path.join(bin, 'sam-sync'), ['--version'], { cwd: app, stdio: 'pipe' });
    if (found !== `sam-sync ${version}`) throw new Error(`the installed package says "${found}"`);
    // the usual port may have a cloud of another version
    const env = { ...process.env, SAM_SYNC_CLOUD_PORT: process.env.SAM_SYNC_CLOUD_PORT ?? String(await freePort()) };
    try {
      exec(path.join(bin, 'sam'), ['sync', '--local', '--stack-name', 'release'], { cwd: app, env });
    } finally {
      exec(path.join(bin, 'sam-sync'), ['cloud', 'stop'], { cwd: app, env });
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Writes what the package was made from, as an in-toto statement (SLSA provenance 1.0). It is not signed: `npm publish
 * --provenance` in CI makes a signed one.
 */
function writeProvenance(tarball) {
  const uri = spawnSync('git', ['remote', 'get-url', 'origin'], { cwd: root, encoding: 'utf8' }).stdout.trim();
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: path.basename(tarball), digest: { sha512: hash('sha512', tarball) } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'npm run release',
        externalParameters: { version },
        resolvedDependencies: [
          // a local path says nothing to others
          { uri: /^(?:https:|git@|ssh:)/.test(uri) ? uri : 'git', digest: { gitCommit: git('rev-parse', 'HEAD') } },
          fileDigest('package-lock.json'),
          fileDigest('src/local/plugin/requirements.txt'),
        ],
      },
      runDetails: {
        builder: { id: 'scripts/release.mjs', version: { node: process.versions.node, npm: npm('--version') } },
        byproducts: [fileDigest('dist/sbom.cdx.json')],
      },
    },
    // the form of package-lock.json and `npm view PACKAGE dist.integrity`
    integrity: `sha512-${Buffer.from(hash('sha512', tarball), 'hex').toString('base64')}`,
  };
  const file = `${tarball}.provenance.json`;
  fs.writeFileSync(file, `${JSON.stringify(statement, undefined, 2)}\n`);
  return file;
}

function fileDigest(name) {
  return { name, digest: { sha256: hash('sha256', path.join(root, name)) } };
}

function hash(algorithm, file) {
  return createHash(algorithm).update(fs.readFileSync(file)).digest('hex');
}

function changelogSection() {
  return new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(unreleased\\)$`, 'm');
}

function readChangelog() {
  return fs.readFileSync(path.join(root, 'CHANGELOG.md'), 'utf8');
}

function readManifest() {
  return JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
}

function run(script) {
  exec('npm', ['run', '--silent', script]);
}

function npm(...args) {
  return exec('npm', args, { stdio: ['inherit', 'pipe', 'inherit'] });
}

function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
}

/** Runs a program and returns its output if it is piped. Throws if it fails. */
function exec(program, args, options = {}) {
  const how = { cwd: root, encoding: 'utf8', stdio: 'inherit', shell: isWindows, ...options };
  return (execFileSync(program, args, how) ?? '').trim();
}

function fail(message) {
  console.error(`Error: ${message}`);
  process.exit(1);
}
