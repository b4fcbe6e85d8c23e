import { pythonTool } from './python-tool.ts';

const PACKAGES = {
  poetry: ['poetry==2.5.1', 'poetry-plugin-export==1.10.1'],
  pipenv: ['pipenv==2026.10.3'],
} as const;

/** The folder of a pinned Poetry (with its export plugin) or Pipenv. */
export async function lockToolFolder(tool: keyof typeof PACKAGES): Promise<string> {
  const packages = PACKAGES[tool];
  return pythonTool(`tools/${packages.join('-').replaceAll('==', '-')}`, packages);
}
