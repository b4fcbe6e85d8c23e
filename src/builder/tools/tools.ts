import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { formatProblem, UserError } from '../../errors.ts';
import type { SourcePlace } from '../../errors.ts';
import type { Reporter } from '../../console/reporter.ts';
import { createGate } from '../../support/map-limit.ts';
import { oncePerName } from '../../support/once.ts';
import { spawn } from '../../support/spawn.ts';
import type { SpawnResult } from '../../support/spawn.ts';
import { nameWithin } from '../../support/places.ts';
import { readToolReason } from './tool-reasons.ts';

/** A program of a build ended with an error: its own output says why. */
export class ToolError extends UserError {
  readonly output: string;
  /** Where in the source the tool says it is; the file absolute. */
  readonly place: SourcePlace | undefined;

  constructor(message: string, output: string, hint?: string, place?: SourcePlace) {
    super(message, hint === undefined ? {} : { hint });
    this.output = output;
    this.place = place;
  }
}

/** The error of a tool that ended with an exit code, with the reason that it printed. */
export function toolFailure({ code, output }: SpawnResult, { task, hint, cwd, copyOf }: ToolOptions): ToolError {
  const { reason, file, line, column } = readToolReason(task, output);
  const inside = file === undefined ? undefined : nameWithin(cwd, file);
  const why = reason === undefined ? undefined : formatProblem({ file: inside, line, column, message: reason });
  const message = why === undefined ? `${task} failed with exit code ${code}` : `${task} failed: ${why}`;
  const place = inside === undefined ? undefined : { file: path.resolve(copyOf ?? cwd, inside), line, column };
  return new ToolError(message, output.trim(), hint, place);
}

/** Runs the programs that builds need, in the user's environment. */
export interface Tools {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Where programs are looked for, for messages: `on PATH`. */
  readonly place: string;
  /** Below it temporary folders are made that the programs see under the same name. */
  readonly temporaryDir: string;
  /** What of the programs' surroundings decides what they make, if it is not this machine: takes part in every key. */
  readonly identity?: string | undefined;
  /** Runs to the end; an exit code other than 0 is an error that carries the output. Its lines are reported. */
  run(program: string, args: readonly string[], options: ToolOptions): Promise<SpawnResult>;
  /** Runs to the end, whatever the exit code; nothing is reported. undefined if it cannot be started. */
  probe(program: string, args: readonly string[], cwd?: string): Promise<SpawnResult | undefined>;
  /** Runs works of the same name one after the other. */
  alone<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Passes on a line that a tool in this process printed. */
  report(stepId: string, line: string): void;
  /** All places on PATH where a program of this name is, in order. */
  find(name: string): Promise<string[]>;
}

/** How a tool is run. */
export interface ToolOptions {
  cwd: string;
  /** Added to the user's environment; undefined removes a variable. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Whose output it is: the id of the step. */
  stepId: string;
  /** What is being done, for the message of a failure: `pip install`. */
  task: string;
  /** The command line as it is shown, where the real one would tell nobody anything. */
  shown?: string | undefined;
  hint?: string | undefined;
  /** The folder of the source that `cwd` is a copy of, if it is one. */
  copyOf?: string | undefined;
}

export function createTools(environment: { env: Tools['env']; signal: AbortSignal; reporter: Reporter }): Tools {
  const { env, signal, reporter } = environment;
  const gates = new Map<string, ReturnType<typeof createGate>>();
  const found = new Map<string, Promise<string[]>>();
  const probed = new Map<string, Promise<SpawnResult | undefined>>();
  return {
    env,
    signal,
    place: 'on PATH',
    temporaryDir: os.tmpdir(),
    run: async (program, args, options) => {
      const line = options.shown ?? `${path.basename(program)} ${args.join(' ')}`;
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
    alone: (name, work) => {
      const gate = gates.get(name) ?? createGate(1);
      gates.set(name, gate);
      return gate(work);
    },
    report: (stepId, line) => reporter.report({ type: 'tool-output', id: stepId, line }),
    find: (name) => oncePerName(found, name, () => findOnPath(name, env)),
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
