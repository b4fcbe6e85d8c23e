import * as path from 'node:path';
import { toolEnv } from './build-app.ts';
import { uvFolder } from './uv.ts';

/** Which index and which caches pip and uv have. */
export interface PythonEnvOptions {
  /** A folder: another one is another machine. */
  caches: string;
  /** The default index; nothing is found elsewhere. */
  index?: string;
  more?: Record<string, string | undefined>;
}

/** The environment of a machine with the pinned uv, its own caches and one index. */
export async function pythonEnv(options: PythonEnvOptions): Promise<Record<string, string | undefined>> {
  const { caches, index, more } = options;
  const uv = await uvFolder();
  if (uv === undefined) throw new Error('uv could not be installed from PyPI');
  return toolEnv({
    PATH: `${uv}${path.delimiter}${process.env['PATH']}`,
    UV_CACHE_DIR: path.join(caches, 'uv'),
    PIP_CACHE_DIR: path.join(caches, 'pip'),
    PIP_FIND_LINKS: undefined,
    ...(index !== undefined && { UV_DEFAULT_INDEX: index, PIP_INDEX_URL: index }),
    ...more,
  });
}

/** A template of one function `Fn` that is built by uv (`python-uv`) or pip. */
export function pythonTemplate(
  codeUri: string,
  how: { method?: string; runtime?: string; architecture?: string; handler?: string } = {},
): string {
  const { method, runtime = 'python3.13', architecture = 'x86_64', handler = 'app.handler' } = how;
  const metadata = method === undefined ? '' : `\n    Metadata: { BuildMethod: ${method} }`;
  return `Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function${metadata}
    Properties: { CodeUri: ${codeUri}, Handler: ${handler}, Runtime: ${runtime}, Architectures: [${architecture}] }
`;
}
