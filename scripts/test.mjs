// npm test: installs dependencies, builds, runs all tests (or the named ones), lists the slowest, ends with
// `N passed, N failed`.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { installAndBuild, root, run } from './install.mjs';

installAndBuild();

const report = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'sam-sync-test-')), 'report.json');
const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
const status = run(
  process.execPath,
  [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { allowFailure: true, shell: false },
);
let line = 'no test report was written';
let failed = status !== 0;
if (fs.existsSync(report)) {
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(fs.readFileSync(report, 'utf8'));
  // a file that failed to load has no tests, but counts as a failure
  const broken = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  line = `${numPassedTests} passed, ${numFailedTests + broken} failed`;
  if (numPendingTests > 0) line += `, ${numPendingTests} skipped`;
  failed ||= numFailedTests + broken > 0;
  printSlowest(testResults);
}
fs.rmSync(path.dirname(report), { recursive: true, force: true });
console.log(`\n${line}`);
process.exitCode = failed ? 1 : 0;

/** Prints the slowest tests, each with its file; set-up that its file shares is not part of its time. */
function printSlowest(files, most = 20) {
  const tests = files.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ duration = 0, fullName }) => ({ duration, fullName, file: path.relative(root, name) })),
  );
  const slowest = tests.toSorted((one, other) => other.duration - one.duration).slice(0, most);
  if (slowest.length === 0) return;
  console.log(`\nThe slowest ${slowest.length} of ${tests.length} tests:`);
  for (const { duration, fullName, file } of slowest)
    console.log(`${(duration / 1_000).toFixed(1).padStart(7)} s  ${file} > ${fullName}`);
}
