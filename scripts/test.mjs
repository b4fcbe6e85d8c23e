// npm test: installs dependencies, builds, runs all tests (or the named ones), ends with `N passed, N failed`.
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
}
fs.rmSync(path.dirname(report), { recursive: true, force: true });
console.log(`\n${line}`);
process.exitCode = failed ? 1 : 0;
