import { packageVersion, tensorflowPackage } from './engine-folder.ts'

/** Every sentence about an installation that did not succeed: what is in the way, and what to do about it. */
export class InstallFailed extends Error {
  /** `path`: what the user named is not what it should be. `machine`: something is missing or fails. */
  readonly fault: 'path' | 'machine'
  constructor(message: string, fault: 'path' | 'machine' = 'machine', cause?: unknown) {
    super(message, { cause })
    this.name = 'InstallFailed'
    this.fault = fault
  }
}

const machine = (message: string): InstallFailed => new InstallFailed(message)
const path = (message: string): InstallFailed => new InstallFailed(message, 'path')
const withoutIt = 'Without it, `--engine onnx` and `wasm` need nothing but npm.'

export const failed = {
  twoSources: () => path('`--python`, `--wheel` and `--download` exclude each other: TensorFlow can come from one place only.'),
  windows: () =>
    machine(
      `The TensorFlow of Python has no library for C on Windows, so nothing can be built against it. Use Assay inside WSL. ${withoutIt}`,
    ),
  otherPlatform: (platform: string, arch: string) =>
    machine(`There is no TensorFlow for ${platform} on ${arch} that could be built against. ${withoutIt}`),
  musl: () => machine(`TensorFlow's wheels need glibc, and this system has another C library (musl). ${withoutIt}`),
  homeNotWritable: (folder: string, reason: string) =>
    path(`The folder for engines, ${folder}, cannot be written: ${reason}. Set ASSAY_HOME to one that can.`),

  noNpm: () => machine('`npm` was not found on the PATH; it fetches the binding. Install Node with npm, then try again.'),
  noCompiler: () => machine(`No C++ compiler was found: the binding is built on this machine. ${toolchain()}`),
  noMake: () => machine(`\`make\` was not found: the binding is built on this machine. ${toolchain()}`),
  noPythonForGyp: () =>
    machine('No `python3` was found on the PATH; node-gyp, which builds the binding, is written in it. Install Python 3.8 or newer.'),
  nodedirWithoutHeaders: (folder: string) =>
    machine(
      `npm's setting \`nodedir\` names ${folder}, which has no include/node/node_api.h. Correct it (\`npm config set nodedir …\`), or remove it.`,
    ),
  noHeaders: () =>
    machine(
      `The headers of Node ${process.version} are not on this machine, and node-gyp could not fetch them from nodejs.org. ` +
        'Install Node from nodejs.org or your package manager together with its headers (they lie in include/node), or set ' +
        'npm_config_nodedir to the folder that has them.',
    ),

  noSuchPython: (given: string) =>
    path(`There is no Python at ${given}. Give the path of the program, or of the folder of its environment.`),
  notPython: (given: string, said: string) => path(`${given} does not run as Python (${said}). Give the path of a Python 3 program.`),
  noPython: () =>
    machine('No Python was found on the PATH. Name one that has TensorFlow (`--python PATH`), or a wheel of it (`--wheel FILE`).'),
  noPythonForPip: () =>
    machine('No Python was found on the PATH, so there is no pip to download with. Install Python 3, or give a wheel (`--wheel FILE`).'),
  pythonWithoutTensorflow: (python: string) =>
    machine(
      `The Python ${python} has no TensorFlow. Install it there (\`${python} -m pip install tensorflow\`), name another (\`--python PATH\`), ` +
        'or have a wheel fetched for Assay alone: `assay engine install --download`.',
    ),
  pythonOfOtherArch: (python: string, its: string) =>
    machine(
      `The Python ${python} is for ${its}, and this Node for ${process.arch}: they cannot share a library. Name another (\`--python PATH\`).`,
    ),
  tensorflowTooOld: (version: string, place: string) =>
    machine(
      `TensorFlow ${version} in ${place} has no library to build against (libtensorflow_cc). Use 2.15 or newer, or \`assay engine install --download\`.`,
    ),

  noSuchWheel: (file: string, reason: string) => path(`The wheel ${file} cannot be read: ${reason}.`),
  notAZip: (file: string, reason: string) => path(`${file} is no wheel: ${reason}. Download it again.`),
  notTensorflow: (file: string) =>
    path(
      `${file} is not a wheel of TensorFlow: there is no libtensorflow_cc in it. Take one of \`tensorflow-cpu\` or \`tensorflow\`, 2.15 or newer.`,
    ),
  wheelOfOtherPlatform: (file: string, tags: string) =>
    path(
      `${file} is for another platform (${tags}); this is ${process.platform} on ${process.arch}. ` +
        'Download the one for this platform, or let pip choose: `assay engine install --download`.',
    ),

  noPip: (python: string) =>
    machine(
      `The Python ${python} has no pip. Install it (Debian, Ubuntu: \`sudo apt install python3-pip\`), or give a wheel (\`--wheel FILE\`).`,
    ),
  pipFindsNone: (names: string) =>
    machine(
      `pip finds no wheel of ${names} for this platform. Give one (\`--wheel FILE\`), or a Python that has TensorFlow (\`--python PATH\`).`,
    ),
  pipUnreachable: () =>
    machine(
      "pip cannot reach its package index. Check the network, or pip's settings for index and proxy, then try again; or give a wheel (`--wheel FILE`).",
    ),
  pipFailed: (said: string) => machine(`pip could not download TensorFlow: ${said}. Try it by hand, and give the file: \`--wheel FILE\`.`),
  npmUnreachable: () =>
    machine("npm cannot reach its registry. Check the network, or npm's settings `registry` and `proxy`, then try again."),
  npmHasNone: (wanted: string) =>
    machine(`npm's registry has no ${wanted}. If \`npm config get registry\` names a mirror, have it mirrored there.`),
  npmFailed: (said: string) => machine(`npm could not fetch ${tensorflowPackage} ${packageVersion}: ${said}.`),

  diskFull: (folder: string) =>
    machine(`The disk is full, under ${folder}. Make room (about 2 GB while it is built, 1 GB after), then try again.`),
  tooLittleRoom: (folder: string, free: number, needed: number) =>
    machine(
      `There is too little room under ${folder}: ${megabytes(free)} MB are free, ${megabytes(needed)} MB are needed. Make room, or set ASSAY_HOME elsewhere.`,
    ),
  compileFailed: (version: string, said: string) =>
    machine(
      `The binding could not be built against TensorFlow ${version}: ${said}. Another version may do: \`assay engine install --download\`.`,
    ),
  notBuilt: () =>
    machine('The compiler ended without an error, and without a binding. Try again; if it stays so, this is a mistake in Assay.'),

  crashed: (signal: string, stage: string) =>
    machine(`TensorFlow crashed ${stage} (${signal}), in a process of its own. It is not installed. ${another()}`),
  tooSlow: (seconds: number) => machine(`TensorFlow did not finish its self-test in ${seconds} s. It is not installed. ${another()}`),
  doesNotLoad: (said: string) => machine(`The binding was built, but does not load: ${said} It is not installed. ${another()}`),
  selfTestFailed: (summary: string) => machine(`TensorFlow loads, but fails the self-test: ${summary}. It is not installed. ${another()}`),
} as const

export const noEngine = (name: string, known: readonly string[]): string =>
  `There is no installed engine \`${name}\`. ${known.length === 0 ? 'None is installed.' : `There is ${known.map((each) => `\`${each}\``).join(', ')}.`}`

function toolchain(): string {
  if (process.platform === 'darwin') return 'Install the command line tools: `xcode-select --install`.'
  return 'Install them (Debian, Ubuntu: `sudo apt install g++ make`; Fedora: `sudo dnf install gcc-c++ make`).'
}

function another(): string {
  return `Another version may do: \`assay engine install --download 2.18.1\`. ${withoutIt}`
}

export function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1e6)
}

/** What the system says, in words. */
export function systemWords(reason: unknown): string {
  const { code, message } = reason as { code?: string; message?: string }
  return (code !== undefined && words[code]) || message || String(reason)
}

const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  EEXIST: 'a part of its path is a file',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'its disk is read-only',
}
