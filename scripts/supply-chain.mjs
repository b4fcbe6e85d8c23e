// What the package is made of: known vulnerabilities, licences, and dist/sbom.cdx.json (CycloneDX). Run after `npm run build`,
// before a release. Fails for a vulnerability of level high or critical, a licence that is not listed here, and a package of the
// local cloud that is not pinned by hash.
import { execFile } from 'node:child_process';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';

const root = path.dirname(import.meta.dirname);
const LICENCES = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  '(BSD-3-Clause OR GPL-2.0)',
]);

const shipped = await shippedPackages();
const problems = [...(await vulnerabilities()), ...(await licenceProblems()), ...(await unpinned())];
await writeSbom();
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

/** `name@version` of all that is in the bundle, and of what is installed with the package. */
async function shippedPackages() {
  const text = await fs.readFile(path.join(root, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8');
  const bundled = text.split(`${'-'.repeat(80)}\n`).map((part) => part.trim().split('\n')[0].replace(' ', '@'));
  const { dependencies } = JSON.parse(await fs.readFile(path.join(root, 'package.json'), 'utf8'));
  return new Set([...bundled, ...Object.entries(dependencies).map(([name, version]) => `${name}@${version}`)]);
}

async function vulnerabilities() {
  const report = JSON.parse((await npm('audit', '--json')) || '{}');
  if (report.vulnerabilities === undefined) {
    console.log('vulnerabilities: not checked, this registry answers no audits');
    return [];
  }
  const found = Object.values(report.vulnerabilities).filter(({ severity }) => /^(?:high|critical)$/.test(severity));
  console.log(`vulnerabilities of level high or critical: ${found.length}`);
  return found.map(({ name, severity }) => `${name} has a vulnerability of level ${severity}: npm audit`);
}

async function licenceProblems() {
  const counts = new Map();
  const found = [];
  for (const id of shipped) {
    const name = id.slice(0, id.lastIndexOf('@'));
    const { license } = JSON.parse(await fs.readFile(path.join(root, 'node_modules', name, 'package.json'), 'utf8'));
    counts.set(license, (counts.get(license) ?? 0) + 1);
    if (!LICENCES.has(license))
      found.push(`${id} has the licence ${license}, which scripts/supply-chain.mjs does not list`);
  }
  console.log(`licences: ${[...counts].map(([license, count]) => `${license} (${count})`).join(', ')}`);
  return found;
}

async function unpinned() {
  const file = 'src/local/plugin/requirements.txt';
  const text = await fs.readFile(path.join(root, file), 'utf8');
  const lines = text.replaceAll('\\\n', ' ').split('\n');
  const packages = lines.filter((line) => /^[a-z]/i.test(line));
  console.log(`packages of the local cloud: ${packages.length}`);
  return packages
    .filter((line) => !/==\S+.*--hash=sha256:/.test(line))
    .map((line) => `${file}: ${line} is not pinned by hash`);
}

async function writeSbom() {
  const sbom = JSON.parse(await npm('sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'));
  const components = sbom.components.filter(({ name, group, version }) =>
    shipped.has(`${group ? `${group}/` : ''}${name}@${version}`),
  );
  const kept = new Set([sbom.metadata.component['bom-ref'], ...components.map((component) => component['bom-ref'])]);
  const dependencies = sbom.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((id) => kept.has(id)) }));
  const text = JSON.stringify({ ...sbom, components, dependencies }, undefined, 2);
  await fs.writeFile(path.join(root, 'dist/sbom.cdx.json'), `${text}\n`);
  console.log(`dist/sbom.cdx.json: ${components.length} packages`);
}

/** Standard output; npm's exit code says that it found something, which the output says too. */
function npm(...args) {
  return new Promise((resolve) => {
    execFile('npm', args, { cwd: root, maxBuffer: 2 ** 28, shell: process.platform === 'win32' }, (_error, stdout) =>
      resolve(stdout),
    );
  });
}
