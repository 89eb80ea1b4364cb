import { existsSync, realpathSync } from 'node:fs'
import { cp, mkdir, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { complaintOf, type Environment, findProgram, run } from './command.ts'
import { bindingFile, napiVersion, tensorflowPackage } from './engine-folder.ts'
import { npmProgram } from './fetch-binding.ts'
import { type FoundTensorflow, findPython } from './find-tensorflow.ts'
import { failed } from './sentences.ts'

/** What is needed to compile, looked for before anything is downloaded. */
export interface Toolchain {
  readonly python: string
  /** The folder whose include/node has Node's headers; undefined where node-gyp must fetch them. */
  readonly nodedir: string | undefined
}

export async function findToolchain(environment: Environment): Promise<Toolchain> {
  const { env } = environment
  npmProgram(environment)
  if (
    findProgram([...(env.CXX ? [env.CXX.split(' ', 1)[0]!] : []), 'g++', 'c++', 'clang++'], env) === undefined &&
    !existsSync(env.CXX ?? '')
  )
    throw failed.noCompiler()
  if (findProgram(['make', 'gmake'], env) === undefined) throw failed.noMake()
  const python = findPython(env)
  if (python === undefined) throw failed.noPythonForGyp()
  return { python, nodedir: await findHeaders(environment) }
}

async function findHeaders(environment: Environment): Promise<string | undefined> {
  const { env } = environment
  const hasHeaders = (folder: string) => existsSync(join(folder, 'include/node/node_api.h'))
  const named = env.npm_config_nodedir ?? env.NPM_CONFIG_NODEDIR ?? (await npmSetting('nodedir', environment))
  if (named !== undefined) {
    if (!hasHeaders(named)) throw failed.nodedirWithoutHeaders(named)
    return named
  }
  const besideNode = dirname(dirname(realpathSync(process.execPath)))
  return hasHeaders(besideNode) ? besideNode : undefined
}

async function npmSetting(name: string, environment: Environment): Promise<string | undefined> {
  const { code, out } = await run(npmProgram(environment), ['config', 'get', name], environment, { timeoutMs: 60_000 })
  const value = out.trim()
  return code === 0 && value !== '' && value !== 'undefined' && value !== 'null' ? value : undefined
}

/**
 * Compiles the binding in `build` (node-gyp cannot do with spaces in paths, and the user's folder may have some) and puts it where the package in
 * `engine` looks for it. It finds TensorFlow by its run path: the folder of the libraries itself, for what they need they look for beside themselves.
 */
export async function compileBinding(
  places: { readonly engine: string; readonly build: string; readonly nodeGyp: string },
  tensorflow: FoundTensorflow,
  toolchain: Toolchain,
  environment: Environment,
): Promise<void> {
  const { engine, build, nodeGyp } = places
  const source = join(build, 'binding')
  const installed = join(engine, 'node_modules', ...tensorflowPackage.split('/'))
  await mkdir(source, { recursive: true })
  for (const part of ['binding', 'binding.gyp', 'package.json']) await cp(join(installed, part), join(source, part), { recursive: true })
  await linkTensorflow(source, tensorflow)
  const output = join(build, 'output')
  const options = [
    '--module_name=tfjs_binding',
    `--module_path=${output}`,
    `--napi_version=${napiVersion}`,
    `--napi_build_version=${napiVersion}`,
    `--python=${toolchain.python}`,
    ...(toolchain.nodedir === undefined ? [] : [`--nodedir=${toolchain.nodedir}`]),
  ]
  const { code, all } = await run(process.execPath, [nodeGyp, 'rebuild', ...options], environment, {
    cwd: source,
    env: { LDFLAGS: [environment.env.LDFLAGS, runPath(engine, tensorflow)].filter(Boolean).join(' ') },
  })
  if (code !== 0) throw explained(all, tensorflow.version)
  const built = join(output, 'tfjs_binding.node')
  if (!existsSync(built)) throw failed.notBuilt()
  const target = join(engine, bindingFile)
  await mkdir(dirname(target), { recursive: true })
  await cp(built, target)
  await rm(source, { recursive: true, force: true })
}

/** Under the names that the binding's build file knows; the names that are looked for when it runs are the libraries' own. */
async function linkTensorflow(source: string, { folder, include, libraries }: FoundTensorflow): Promise<void> {
  const lib = join(source, 'deps/lib')
  await mkdir(lib, { recursive: true })
  await symlink(include, join(source, 'deps/include'))
  const suffix = process.platform === 'darwin' ? '.2.dylib' : '.so'
  await symlink(join(folder, libraries.cc), join(lib, `libtensorflow${suffix}`))
  await symlink(join(folder, libraries.framework), join(lib, `libtensorflow_framework${suffix}`))
}

/** As make and the shell hand it on to the linker: `$$` is make's `$`. A wheel's libraries move with the engine, a Python's stay. */
function runPath(engine: string, { from, folder }: FoundTensorflow): string {
  const origin = process.platform === 'darwin' ? '@loader_path' : '$$ORIGIN'
  const own = join(engine, dirname(bindingFile))
  const place = from === 'python' ? folder.replaceAll('$', '$$$$') : `${origin}/${relative(own, folder)}`
  return `'-Wl,-rpath,${place}'`
}

function explained(output: string, version: string): Error {
  if (/No space left on device|ENOSPC/.test(output)) return Object.assign(new Error('The disk is full.'), { code: 'ENOSPC' })
  if (/node_api\.h: No such file|'node_api\.h' file not found|nodejs\.org.*failed|-headers\.tar\.gz/.test(output)) return failed.noHeaders()
  if (/Could not find any Python installation|find Python/.test(output) && /gyp ERR! find Python/.test(output))
    return failed.noPythonForGyp()
  return failed.compileFailed(version, complaintOf(output, [/\berror:/, /undefined (reference|symbol)/, /^make.*Error/, /^gyp ERR! stack/]))
}
