import type { Tools } from '../tools/tools.ts';
import { ProgramNotFoundError, spawn } from '../../support/process/spawn.ts';
import { listOf, parseJson } from '../../support/shapes.ts';
import { findPython } from '../workflows/python/interpreter.ts';
import { readCodeProblem } from './code-check.ts';
import type { CodeProblem, CodeCheck } from './code-check.ts';

/**
 * Compiles, in memory, the file of each handler and the function's own files that it imports. Input and output are JSON: a list
 * of jobs, and the first problem of each, if any. It does not check the names of modules that define them at run time.
 */
const PROGRAM = `
import ast, json, os, sys, warnings
warnings.simplefilter("ignore")
NEW_ENOUGH = sys.version_info[1] >= int(sys.argv[1])
def is_certain(error):
    return NEW_ENOUGH or isinstance(error, IndentationError) or error.msg == "expected ':'"
def parsed(root, file):
    with open(os.path.join(root, file), "rb") as opened:
        source = opened.read()
    tree = ast.parse(source, file)
    compile(tree, file, "exec", dont_inherit=True)
    return tree
def imports(tree, file):
    package = file.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else []
            module = base + (node.module.split(".") if node.module else [])
            yield module
            for alias in node.names:
                yield module + [alias.name]
def files(parts):
    for count in range(1, len(parts) + 1):
        place = "/".join(parts[:count])
        yield place + ".py"
        yield place + "/__init__.py"
def names(tree):
    found, work = set(), list(tree.body)
    while work:
        node = work.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                found.add(alias.asname or alias.name.split(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        work.extend(ast.iter_child_nodes(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            found.update(node.names)
    return found
DYNAMIC = {"*", "__getattr__"}
WRITERS = {"globals", "vars", "exec", "eval", "setattr", "modules"}
def is_dynamic(tree, found):
    used = (getattr(node, "id", None) or getattr(node, "attr", None) for node in ast.walk(tree))
    return bool(found & DYNAMIC) or any(name in WRITERS for name in used)
def check(job):
    root, own = job["root"], job["own"]
    todo, seen = [job["file"]], set()
    while todo and len(seen) < 500:
        file = todo.pop(0)
        if file in seen:
            continue
        seen.add(file)
        try:
            tree = parsed(root, file)
        except SyntaxError as error:
            if not is_certain(error):
                return {}
            return {"file": file, "line": error.lineno or 1, "column": error.offset or 1,
                    "message": type(error).__name__ + ": " + str(error.msg)}
        except ValueError as error:
            return {"file": file, "line": 1, "column": 1, "message": "SyntaxError: " + str(error)}
        if len(seen) == 1:
            found = names(tree)
            if job["name"] not in found and not is_dynamic(tree, found):
                return {"file": file, "names": sorted(found)}
        for parts in imports(tree, file):
            for other in files(parts):
                if other not in seen and os.path.isfile(os.path.join(own, other)) and os.path.isfile(os.path.join(root, other)):
                    todo.append(other)
    return {}
def safely(job):
    try:
        return check(job)
    except Exception:
        return {}
print(json.dumps([safely(job) for job in json.load(sys.stdin)]))
`;

/** Programs that have checked Python code, by the requested version. */
export type Pythons = Map<string, string>;

/** The tools of the checks. */
export interface Checkers {
  tools: Tools;
  pythons: Pythons;
}

const readFindings = listOf(readCodeProblem);

/**
 * Returns the problems of Python code, one for each job. A Python older than the function's does not know all of its syntax: of what it
 * finds, only wrong indentation and missing colons count, which it never finds in newer syntax.
 */
export async function checkPython(
  version: string,
  jobs: readonly CodeCheck[],
  { tools, pythons }: Checkers,
): Promise<readonly CodeProblem[]> {
  const check = async (program: string): Promise<readonly CodeProblem[] | undefined> => {
    const found = await runCheck(program, version, { jobs, tools });
    if (found !== undefined) pythons.set(version, program);
    return found;
  };
  const known = pythons.get(version);
  // not probed first: starting Python takes longer than the check, and a program that prints no findings is none
  for (const program of known === undefined ? await tools.find(`python${version}`) : [known]) {
    const found = await check(program);
    if (found !== undefined) return found;
  }
  const other = await findPython(tools, { version, machine: '', pip: false });
  return (other && (await check(other.program))) ?? [];
}

/** Returns undefined if the program is no Python that can check, such as a version manager's command that only prints an error. */
async function runCheck(
  program: string,
  version: string,
  { jobs, tools }: { jobs: readonly CodeCheck[]; tools: Tools },
): Promise<readonly CodeProblem[] | undefined> {
  const args = ['-I', '-S', '-c', PROGRAM, version.split('.')[1] ?? '0'];
  try {
    const { stdout } = await spawn(program, args, {
      env: { ...tools.env, PYTHONIOENCODING: 'utf-8' },
      signal: tools.signal,
      input: JSON.stringify(jobs),
      endsWithInput: true,
    });
    return readFindings(parseJson(stdout));
  } catch (error) {
    if (error instanceof ProgramNotFoundError) return undefined;
    throw error;
  }
}
