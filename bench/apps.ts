import * as fs from 'node:fs/promises';
import * as path from 'node:path';

/** An application to be synced: path → content, and the file that is edited in it. */
export interface App {
  files: Readonly<Record<string, string>>;
  /** The code of a function, with a mark that makes it another one. */
  edited: { file: string; text(mark: string): string };
  /** Of the function whose code that is. */
  functionId: string;
}

/** A kind of function: its properties and files. */
interface Kind {
  properties: string;
  metadata?: string;
  source: string;
  text(mark: string): string;
  files?: Readonly<Record<string, string>>;
}

const pythonText = (mark: string): string =>
  `MARK = "${mark}"\n\n\ndef handler(event, context):\n    return {"mark": MARK, "event": event}\n`;
const nodeText = (mark: string): string =>
  `exports.handler = async (event) => ({ mark: ${JSON.stringify(mark)}, event });\n`;

const packageJson = (dependencies: Readonly<Record<string, string>>): string =>
  `${JSON.stringify({ name: 'function', version: '1.0.0', dependencies }, null, 2)}\n`;

/** Python with a `requirements.txt` that pins packages, or, as `sam init` writes it, has nothing in it. */
export function python(packages: readonly string[] = []): Kind {
  return {
    properties: 'Runtime: python3.11\n      Handler: app.handler',
    source: 'app.py',
    text: pythonText,
    files: { 'requirements.txt': packages.map((name) => `${name}\n`).join('') },
  };
}

/** Node.js with a `package.json`. */
export function node(packages: Readonly<Record<string, string>>): Kind {
  return {
    properties: 'Runtime: nodejs20.x\n      Handler: app.handler',
    source: 'app.js',
    text: nodeText,
    files: { 'package.json': packageJson(packages) },
  };
}

/** TypeScript, bundled by esbuild together with a package and a module of its own. */
export function esbuild(): Kind {
  return {
    properties: 'Runtime: nodejs20.x\n      Handler: app.handler',
    metadata:
      '\n    Metadata:\n      BuildMethod: esbuild\n      BuildProperties:\n        EntryPoints:\n          - app.ts\n        Minify: true',
    source: 'app.ts',
    text: (mark) =>
      `import ms from 'ms';\nimport { greet } from './greet';\n\nexport const handler = async (event: object) => ({\n  mark: ${JSON.stringify(mark)}, greeting: greet('Ada'), wait: ms('2 days'), event,\n});\n`,
    files: {
      'greet.ts': 'export const greet = (name: string): string => `Hello, ${name}`;\n',
      'package.json': packageJson({ ms: '2.1.3', esbuild: '0.28.2' }),
    },
  };
}

/** How an application is made. */
export interface AppOptions {
  /** Makes its code another one. */
  seed: string;
  /** Beside the code, in each folder. */
  moreFiles?: number;
  /** The ARN of a role; without it each function gets one, which counts among the 500 resources of a stack. */
  role?: string;
}

/** An application of functions, each in a folder of its own. */
export function functions(kinds: readonly Kind[], { seed, moreFiles = 0, role }: AppOptions): App {
  const files: Record<string, string> = {};
  let template = 'AWSTemplateFormatVersion: "2010-09-09"\nTransform: AWS::Serverless-2016-10-31\nResources:\n';
  kinds.forEach(({ properties, metadata = '', source, text, files: own = {} }, index) => {
    const number = String(index).padStart(3, '0');
    const folder = `functions/f${number}`;
    template += `  Function${number}:\n    Type: AWS::Serverless::Function${metadata}\n    Properties:\n      CodeUri: ${folder}\n      ${properties}\n${role === undefined ? '' : `      Role: ${role}\n`}`;
    files[`${folder}/${source}`] = text(`${seed} ${number}`);
    for (const [name, content] of Object.entries(own)) files[`${folder}/${name}`] = content;
    for (let more = 0; more < moreFiles; more++) {
      files[`${folder}/lib/part${more}.py`] = `# ${seed} ${number}\nVALUES = [${more}, ${index}]\n`;
    }
  });
  files['template.yaml'] = template;
  const [first] = kinds;
  if (first === undefined) throw new Error('an application needs a function');
  const edited = { file: `functions/f000/${first.source}`, text: first.text };
  return { files, edited, functionId: 'Function000' };
}

/** The same functions in nested stacks, so many in each. */
export function nested(kinds: readonly Kind[], options: AppOptions, perStack: number): App {
  const { files, edited, functionId } = functions(kinds, options);
  const [head = '', ...resources] = (files['template.yaml'] ?? '').split(/^(?=  Function\d+:$)/m);
  const templates: Record<string, string> = {};
  let root = head;
  for (let first = 0; first < resources.length; first += perStack) {
    const stack = `stack${first / perStack}`;
    templates[`${stack}.yaml`] = head + resources.slice(first, first + perStack).join('');
    root += `  Stack${first / perStack}:\n    Type: AWS::Serverless::Application\n    Properties:\n      Location: ${stack}.yaml\n`;
  }
  return { files: { ...files, ...templates, 'template.yaml': root }, edited, functionId: `Stack0/${functionId}` };
}

/** The same kind so many times. */
export function times(count: number, kind: Kind): Kind[] {
  return Array.from({ length: count }, () => kind);
}

/** Writes an application into a folder, which is made. */
export async function writeApp(dir: string, { files }: App): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(dir, name);
    await fs.mkdir(path.dirname(file), { recursive: true });
    await fs.writeFile(file, content);
  }
}
