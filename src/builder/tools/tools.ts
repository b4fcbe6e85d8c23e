import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { formatProblem, UserError } from '../../errors.ts';
import type { SourcePlace } from '../../errors.ts';
import type { Reporter } from '../../console/reporter.ts';
import { createGate } from '../../support/map-limit.ts';
import { oncePerName } from '../../support/once.ts';
import { spawn } from '../../support/process/spawn.ts';
import type { SpawnResult } from '../../support/process/spawn.ts';
import { nameWithin } from '../../support/places.ts';
import { readToolReason } from './tool-reasons.ts';

/** A tool of a build failed; its output gives the reason. The file of its place is absolute. */
export class ToolError extends UserError {
  readonly output: string;

  constructor(message: string, output: string, hint?: string, place?: SourcePlace) {
    super(message, { hint, place });
    this.output = output;
  }
}

/** Returns the error of a tool that exited with a code, with the reason that it printed. */
export function toolFailure({ code, output }: SpawnResult, { task, hint, cwd, copyOf }: ToolOptions): ToolError {
  const { reason, file, line, column } = readToolReason(task, output);
  const inside = file === undefined ? undefined : nameWithin(cwd, file);
  const problem = reason === undefined ? undefined : formatProblem({ file: inside, line, column, message: reason });
  const message = problem === undefined ? `${task} failed with exit code ${code}` : `${task} failed: ${problem}`;
  const place = inside === undefined ? undefined : { file: path.resolve(copyOf ?? cwd, inside), line, column };
  return new ToolError(message, output.trim(), hint, place);
}

/** Runs the tools of builds in the user's environment. */
export interface Tools {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Where programs are searched, for messages: `on PATH`. */
  readonly place: string;
  /** Parent of temporary folders that the programs see under the same path. */
  readonly temporaryDir: string;
  /** The environment of the programs, if it is not this machine: part of every key. */
  readonly identity?: string | undefined;
  /** Names a file that programs find through another file, not by their arguments: a container elsewhere gets a copy. */
  addInput?(place: string): void;
  /** Runs a program and reports its output; rejects with a `ToolError` on any exit code but 0. */
  run(program: string, args: readonly string[], options: ToolOptions): Promise<SpawnResult>;
  /** Runs a program without reporting, whatever its exit code; undefined if it cannot be started. Each command runs once. */
  probe(program: string, args: readonly string[], cwd?: string): Promise<SpawnResult | undefined>;
  /** Runs work of the same name one at a time. */
  exclusive<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Reports a line of a tool that runs in this process. */
  report(stepId: string, line: string): void;
  /** Finds all programs of this name on PATH, in its order. */
  find(name: string): Promise<string[]>;
}

/** Options of a tool's run. */
export interface ToolOptions {
  cwd: string;
  /** Added to the user's environment; undefined removes a variable. */
  env?: Readonly<Record<string, string | undefined>>;
  /** The id of the step that the output belongs to. */
  stepId: string;
  /** The task, for the message of a failure: `pip install`. */
  task: string;
  /** The command line to show instead of the real one. */
  displayed?: string | undefined;
  hint?: string | undefined;
  /** The only folders with results that the build reads, if it starts in a copy: a container elsewhere returns no others. */
  results?: readonly string[] | undefined;
  /** The source folder, if `cwd` is a copy of it. */
  copyOf?: string | undefined;
}

/** Creates the tools of this machine. */
export function createTools(environment: { env: Tools['env']; signal: AbortSignal; reporter: Reporter }): Tools {
  const { env, signal, reporter } = environment;
  const gates = new Map<string, ReturnType<typeof createGate>>();
  const programs = new Map<string, Promise<string[]>>();
  const probed = new Map<string, Promise<SpawnResult | undefined>>();
  return {
    env,
    signal,
    place: 'on PATH',
    temporaryDir: os.tmpdir(),
    run: async (program, args, options) => {
      const line = options.displayed ?? `${path.basename(program)} ${args.join(' ')}`;
      reporter.report({ type: 'tool-output', id: options.stepId, line: `$ ${line.slice(0, 500)}` });
      const result = await spawn(program, args, {
        cwd: options.cwd,
        env: { ...env, ...options.env },
        signal,
        onLine: (text) => reporter.report({ type: 'tool-output', id: options.stepId, line: text }),
      });
      if (result.code === 0) return result;
      throw toolFailure(result, options);
    },
    probe: (program, args, cwd) =>
      oncePerName(probed, JSON.stringify([program, args, cwd]), async () => {
        try {
          return await spawn(program, args, { cwd, env: { ...env }, signal });
        } catch (error) {
          signal.throwIfAborted();
          if (error instanceof UserError) return undefined;
          throw error;
        }
      }),
    exclusive: (name, work) => {
      const gate = gates.get(name) ?? createGate(1);
      gates.set(name, gate);
      return gate(work);
    },
    report: (stepId, line) => reporter.report({ type: 'tool-output', id: stepId, line }),
    find: (name) => oncePerName(programs, name, () => findOnPath(name, env)),
  };
}

async function findOnPath(name: string, env: Tools['env']): Promise<string[]> {
  const windows = process.platform === 'win32';
  const variable = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  const folders = (env[variable] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const endings = windows ? (env['PATHEXT'] ?? '.COM;.EXE;.BAT;.CMD').split(';') : [''];
  const places: string[] = [];
  for (const folder of new Set(folders)) {
    for (const ending of endings) {
      const file = path.join(folder, name + ending.toLowerCase());
      if (await isProgram(file)) places.push(file);
    }
  }
  return places;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await fs.access(file, fs.constants.X_OK);
    return (await fs.stat(file)).isFile();
  } catch {
    return false;
  }
}
