import * as path from 'node:path';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Files that take longest, the longest first. A file that takes more than 25 s belongs here, roughly at its place. */
const LONGEST = [
  'cli/watch-direct',
  'cli/install',
  'cli/dependency-layers',
  'integration/remote-container-builds',
  'integration/build-python-same',
  'integration/build-python',
  'integration/container-builds',
  'integration/code-layers',
  'cli/watch-sync',
  'integration/generated-definitions',
  'cli/watch-failures',
  'integration/image-functions',
  'reliability/two-at-once',
  'integration/build-java',
  'reliability/interruption',
  'integration/build-python-export',
  'integration/code-functions',
  'integration/code-answers',
  'cli/permissions',
  'cli/watch-inputs',
  'cli/own-folders',
  'cli/watch-direct-lambda',
  'integration/cloud-lifecycle',
  'reliability/interruption-watch',
  'integration/build-python-manifests',
  'reliability/faults-watch',
  'integration/build-node-locals',
  'reliability/faults-plain',
  'reliability/soak',
];

/**
 * Long files first and those of test/unit last, so that all workers end at the same time. vitest does so itself with the
 * durations of an earlier run, which a fresh clone does not have.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}

function rank({ moduleId, project }: TestSpecification): number {
  if (project.name === 'unit') return LONGEST.length + 1;
  const name = moduleId.split(path.sep).join('/').slice(0, -'.test.ts'.length);
  const place = LONGEST.findIndex((file) => name.endsWith(`/test/${file}`));
  return place === -1 ? LONGEST.length : place;
}
