import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Io } from '../../server/src/cli/io.ts'
import { main } from '../../server/src/cli.ts'
import { EngineUnavailable, openBackend } from '../../server/src/learn/backends/ladder.ts'
import { packageVersion } from '../../server/src/learn/backends/native/engine-folder.ts'
import { type Fakes, type Machine, machine, wheelOf } from './fake-tools.ts'
import { madeFolder } from './run-cli.ts'

/** `assay engine` with stand-ins for every other program (fake-tools.ts). With the real ones: test/native. */
const temporary = process.env.TMPDIR
beforeAll(() => {
  process.env.TMPDIR = join(madeFolder(), 'temporary folders')
  mkdirSync(process.env.TMPDIR)
})
afterAll(() => {
  if (temporary === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = temporary
})

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}
async function assay(
  on: Machine,
  args: readonly string[],
  fakes: Fakes = {},
  more: { env?: Record<string, string>; onErr?: (text: string, stop: () => void) => void } = {},
): Promise<Ran> {
  let out = ''
  let err = ''
  let stop = () => {}
  const io: Io = {
    cwd: on.folder,
    env: { ...on.env(fakes), ...more.env },
    out: { write: (text) => void (out += text), columns: undefined },
    err: {
      write: (text) => {
        err += text
        more.onErr?.(err, () => stop())
      },
      columns: undefined,
    },
    startEngine: () => {
      throw new Error('No engine is needed to install one.')
    },
    engineProbe: on.probe,
    onInterrupt: (listener) => {
      stop = listener
      return () => {}
    },
    exit: () => {},
  }
  const code = await main(['engine', ...args], io)
  return { code, out, err }
}

/** Everything in the user's folder and in temporary ones. */
function left(on: Machine): string[] {
  const home = existsSync(on.home) ? readdirSync(on.home, { recursive: true }) : []
  return [...home.map(String), ...readdirSync(tmpdir())].filter((name) => name !== 'engines')
}
const name = `native-${process.platform}-${process.arch}`
const folderOf = (on: Machine) => join(on.home, 'engines', name)
const manifestOf = (on: Machine) => JSON.parse(readFileSync(join(folderOf(on), 'manifest.json'), 'utf8'))
/** Stands for the file name of the machine's wheel. */
const theWheel = 'the wheel'
const binding = 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/tfjs_binding.node'

// TensorFlow has no library for C on Windows: there is one sentence there, and nothing to build.
describe.skipIf(process.platform === 'win32')('engine install', () => {
  describe('builds against', () => {
    test('the TensorFlow of the Python on the PATH', async () => {
      const on = machine()
      const { code, out, err } = await assay(on, ['install'])
      expect(code, err).toBe(0)
      expect(out).toContain('TensorFlow 2.18.1 on the CPU')
      expect(out).toContain('Self-test passed; a Hessian product of a logistic regression, 60 000 × 784 × 10: 71 ms')
      expect(out).toContain(folderOf(on))
      expect(manifestOf(on)).toMatchObject({
        schema: 'assay-engine/1',
        packageVersion,
        platform: process.platform,
        arch: process.arch,
        napi: 8,
        device: 'cpu',
        selfTest: 'passed',
        logisticHvpMs: 71,
        tensorflow: { version: '2.18.1', from: 'python', folder: on.tensorflow },
      })
      // The fake node-gyp writes down what it was told about where the libraries are.
      expect(readFileSync(join(folderOf(on), binding), 'utf8')).toBe(`'-Wl,-rpath,${on.tensorflow}'`)
      expect(left(on).filter((each) => each.endsWith('.map') || each.startsWith('assay-engine-') || each.includes('.building'))).toEqual([])
    })

    test.each([
      ['a Python named', (on: Machine) => ['--python', on.python]],
      ['a Python named by its environment', (on: Machine) => ['--python', on.folder]],
      ['a wheel', (on: Machine) => ['--wheel', on.wheel]],
      ['a wheel named relative to here', () => ['--wheel', `./${theWheel}`]],
      ['a download', () => ['--download']],
      ['a download of a version', () => ['--download', '2.18.1']],
    ] as const)('%s', async (_, args) => {
      const on = machine()
      const chosen = args(on).map((arg) => (arg === `./${theWheel}` ? `./${on.wheel.split('/').at(-1)}` : arg))
      const { code, err } = await assay(on, ['install', ...chosen])
      expect(code, err).toBe(0)
      if (chosen[0] === '--python') return
      // The wheel's libraries are the engine's own, and the rest of the wheel is not kept.
      expect(readdirSync(join(folderOf(on), 'site/tensorflow')).sort()).toEqual(['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'])
      expect(readFileSync(join(folderOf(on), 'site/tensorflow/libtensorflow_cc.so.2'), 'utf8')).toBe('library '.repeat(500))
      expect(readFileSync(join(folderOf(on), binding), 'utf8')).toMatch(
        /^'-Wl,-rpath,(\$\$ORIGIN|@loader_path)\/(\.\.\/){5}site\/tensorflow'$/,
      )
    })

    test('a wheel with numbers of 64 bits', async () => {
      const on = machine()
      writeFileSync(on.wheel, wheelOf({ kind: 'zip64' }))
      const { code, err } = await assay(on, ['install', '--wheel', on.wheel])
      expect(code, err).toBe(0)
      expect(readFileSync(join(folderOf(on), 'site/tensorflow/libtensorflow_cc.so.2'), 'utf8')).toBe('library '.repeat(500))
    })

    test('it with a node-gyp from the registry, where npm has none with it', async () => {
      const on = machine()
      rmSync(join(on.folder, 'npm/node_modules'), { recursive: true })
      const { code, err } = await assay(on, ['install'])
      expect(code, err).toBe(0)
    })

    test('a wheel for another Python, where pip has none for this one', async () => {
      const on = machine()
      expect((await assay(on, ['install', '--download'], { pip: 'only-3.12' })).code).toBe(0)
    })

    test.runIf(process.platform === 'linux')('a download with its CUDA packages, where there is an NVIDIA GPU', async () => {
      const on = machine()
      on.add('nvidia-smi', "console.log('GPU 0: A card')")
      const metadata = "Version: 2.18.1\nRequires-Dist: numpy\nRequires-Dist: nvidia-cublas-cu12 ==12.5.3.2 ; extra == 'and-cuda'\n"
      writeFileSync(on.wheel, wheelOf({ more: { 'tensorflow_cpu-2.18.1.dist-info/METADATA': metadata } }))
      const { code, err } = await assay(on, ['install', '--download'], { probe: 'gpu' })
      expect(code, err).toBe(0)
      expect(readdirSync(join(folderOf(on), 'site'), { recursive: true })).toContain('nvidia/cublas/lib/libcublas.so.12')
      expect(existsSync(join(folderOf(on), 'site/nvidia/cublas/include'))).toBe(false)
    })

    test('what a GPU can use, and says so', async () => {
      const on = machine()
      const { out } = await assay(on, ['install'], { probe: 'gpu' })
      expect(out).toContain('TensorFlow 2.18.1 on a GPU')
      expect(out).toContain('`--engine gpu`')
    })
  })

  test('takes the place of an older one', async () => {
    const on = machine()
    await assay(on, ['install'])
    writeFileSync(join(folderOf(on), 'old'), '')
    expect((await assay(on, ['install', '--wheel', on.wheel])).code).toBe(0)
    expect(existsSync(join(folderOf(on), 'old'))).toBe(false)
    expect(manifestOf(on).tensorflow.from).toBe('wheel')
  })

  test('clears away what a process that is no more has begun', async () => {
    const on = machine()
    mkdirSync(join(on.home, 'engines/.building-999999999/node_modules'), { recursive: true })
    expect((await assay(on, ['install'])).code).toBe(0)
    expect(readdirSync(join(on.home, 'engines'))).toEqual([name])
  })

  const asJson = async (on: Machine) => JSON.parse((await assay(on, ['install', '--format', 'json'])).out)
  test('says the same in JSON', async () => {
    const on = machine()
    expect(await asJson(on)).toMatchObject({ name, used: true, device: 'cpu', selfTest: 'passed', tensorflow: { version: '2.18.1' } })
  })
})

interface Failure {
  readonly what: string
  readonly args?: readonly string[]
  readonly fakes?: Fakes
  readonly without?: readonly string[]
  readonly env?: Record<string, string>
  readonly prepare?: (on: Machine) => void
  readonly code: 2 | 3
  readonly says: RegExp
}
const failures: readonly Failure[] = [
  { what: 'two sources', args: ['--wheel', 'a.whl', '--download'], code: 2, says: /exclude each other/ },

  { what: 'no npm', without: ['npm'], code: 3, says: /`npm` was not found.*Install Node with npm/ },
  { what: 'no compiler', without: ['g++'], code: 3, says: /No C\+\+ compiler was found.*(apt install g\+\+ make|xcode-select)/ },
  { what: 'no make', without: ['make'], code: 3, says: /`make` was not found.*(apt install g\+\+ make|xcode-select)/ },
  { what: 'no python at all', without: ['python3'], code: 3, says: /No `python3` was found.*Install Python/ },
  {
    what: 'headers that are not where they should be',
    env: { npm_config_nodedir: '/nowhere' },
    code: 3,
    says: /`nodedir` names \/nowhere.*npm config set nodedir/,
  },
  {
    what: 'headers that cannot be fetched',
    fakes: { gyp: 'no-headers' },
    code: 3,
    says: /headers of Node v[\d.]+ are not on this machine.*Install Node/,
  },

  { what: 'a Python that is not there', args: ['--python', '/nowhere/python3'], code: 2, says: /There is no Python at \/nowhere\/python3/ },
  {
    what: 'a Python that is a text',
    args: ['--python', 'probe.mjs'],
    code: 2,
    says: /probe\.mjs does not run as Python \(it is not a program\)/,
  },
  {
    what: 'a program that is no Python',
    args: ['--python', 'bin/python3'],
    fakes: { python: 'not-python' },
    code: 2,
    says: /does not run as Python/,
  },
  { what: 'a broken Python', args: ['--python', 'bin/python3'], fakes: { python: 'crashes' }, code: 2, says: /does not run as Python/ },
  {
    what: 'a Python without TensorFlow',
    fakes: { python: 'no-tensorflow' },
    code: 3,
    says: /has no TensorFlow\. Install it there.*assay engine install --download/,
  },
  {
    what: 'a Python with an old TensorFlow',
    fakes: { python: 'old-tensorflow' },
    code: 3,
    says: /TensorFlow 2\.9\.1 .*libtensorflow_cc.*2\.15 or newer/,
  },
  { what: 'a Python for another processor', fakes: { python: 'other-arch' }, code: 3, says: /cannot share a library/ },

  {
    what: 'a wheel that is not there',
    args: ['--wheel', 'nowhere.whl'],
    code: 2,
    says: /nowhere\.whl cannot be read: there is no such file/,
  },
  { what: 'a wheel that is a folder', args: ['--wheel', 'bin'], code: 2, says: /cannot be read: it is a folder/ },
  {
    what: 'a wheel that is no zip',
    args: ['--wheel', 'probe.mjs'],
    code: 2,
    says: /is no wheel: it is not a zip archive.*Download it again/,
  },
  {
    what: 'half a wheel',
    args: ['--wheel', 'half.whl'],
    prepare: (on) => writeFileSync(join(on.folder, 'half.whl'), wheelOf({}).subarray(0, 400)),
    code: 2,
    says: /is no wheel: .*only the beginning/,
  },
  {
    what: 'a damaged wheel',
    args: ['--wheel', 'damaged.whl'],
    prepare: (on) => {
      const bytes = wheelOf({})
      const at = bytes.indexOf('libtensorflow_cc.so.2') + 21
      writeFileSync(join(on.folder, 'damaged.whl'), bytes.fill(0xff, at, at + 20))
    },
    code: 2,
    says: /is no wheel: its entry "tensorflow\/libtensorflow_cc\.so\.2" is damaged/,
  },
  {
    what: 'a wheel that would write outside',
    args: ['--wheel', 'evil.whl'],
    prepare: (on) =>
      writeFileSync(join(on.folder, 'evil.whl'), wheelOf({ more: { 'tensorflow/include/tensorflow/../../../../../evil.h': 'x' } })),
    code: 2,
    says: /is no wheel: it has an entry outside itself/,
  },
  {
    what: 'a wheel of another platform',
    args: ['--wheel', 'windows.whl'],
    prepare: (on) => writeFileSync(join(on.folder, 'windows.whl'), wheelOf({ tag: 'cp312-cp312-win_amd64' })),
    code: 2,
    says: /is for another platform \(win_amd64\).*--download/,
  },
  {
    what: 'a wheel of something else',
    args: ['--wheel', 'other.whl'],
    prepare: (on) => writeFileSync(join(on.folder, 'other.whl'), wheelOf({ libraries: false })),
    code: 2,
    says: /is not a wheel of TensorFlow.*`tensorflow-cpu`/,
  },

  { what: 'no pip', args: ['--download'], fakes: { pip: 'none' }, code: 3, says: /has no pip.*python3-pip/ },
  {
    what: 'no network for pip',
    args: ['--download'],
    fakes: { pip: 'offline' },
    code: 3,
    says: /pip cannot reach its package index.*--wheel FILE/,
  },
  {
    what: 'no wheel for this platform',
    args: ['--download'],
    fakes: { pip: 'nothing-fits' },
    code: 3,
    says: /pip finds no wheel of tensorflow.*2\.15 or newer/,
  },
  { what: 'a full disk for pip', args: ['--download'], fakes: { pip: 'full' }, code: 3, says: /The disk is full/ },
  {
    what: 'something else with pip',
    args: ['--download'],
    fakes: { pip: 'broken' },
    code: 3,
    says: /pip could not download TensorFlow: ERROR: Hashes/,
  },

  { what: 'no network for npm', fakes: { npm: 'offline' }, code: 3, says: /npm cannot reach its registry.*proxy/ },
  { what: 'a registry without it', fakes: { npm: 'missing' }, code: 3, says: /registry has no @tensorflow\/tfjs-node-gpu@4\.22\.0/ },
  { what: 'a full disk for npm', fakes: { npm: 'full' }, code: 3, says: /The disk is full.*Make room/ },
  { what: 'something else with npm', fakes: { npm: 'broken' }, code: 3, says: /npm could not fetch.*sha512/ },

  {
    what: 'code that does not compile',
    fakes: { gyp: 'error' },
    code: 3,
    says: /could not be built against TensorFlow 2\.18\.1: .*fatal error: .*c_api\.h.*All that was said: .*engine-install\.log/,
  },
  { what: 'a full disk for the compiler', fakes: { gyp: 'full' }, code: 3, says: /The disk is full/ },
  { what: 'a node-gyp without Python', fakes: { gyp: 'no-python' }, code: 3, says: /No `python3` was found/ },
  { what: 'a compiler that makes nothing', fakes: { gyp: 'nothing' }, code: 3, says: /without a binding/ },

  {
    what: 'a crash when it is loaded',
    fakes: { probe: 'crash' },
    code: 3,
    says: /crashed when it was loaded \(SIGSEGV\).*Another version may do/,
  },
  { what: 'a crash in the self-test', fakes: { probe: 'crash-in-test' }, code: 3, says: /crashed in its self-test \(SIGSEGV\)/ },
  { what: 'an end without a word', fakes: { probe: 'silent' }, code: 3, says: /crashed when it was loaded \(it ended with code 0\)/ },
  {
    what: 'a binding that does not load',
    fakes: { probe: 'does-not-load' },
    code: 3,
    says: /does not load: undefined symbol: TF_NewTensor\..*Another version/,
  },
  { what: 'wrong results', fakes: { probe: 'fails' }, code: 3, says: /fails the self-test: gradient of a network is off by/ },

  {
    what: 'a folder that cannot be made',
    prepare: (on) => writeFileSync(on.home, ''),
    code: 2,
    says: /cannot be written: a part of its path is .*Set ASSAY_HOME/,
  },
]

describe.skipIf(process.platform === 'win32')('engine install, in one sentence with the remedy, and nothing left:', () => {
  test.each(failures)('$what', async ({ args = [], fakes, without = [], env, prepare, code, says }) => {
    const on = machine()
    on.without(...without)
    prepare?.(on)
    const ran = await assay(on, ['install', ...args], fakes, { env })
    const said = ran.err
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('  '))
      .join('\n')
    expect(said).toMatch(says)
    expect(said).not.toContain('\n')
    expect(said).toMatch(/\.\)?$/)
    expect(ran.code).toBe(code)
    expect(ran.out).toBe('')
    if (existsSync(join(on.home, 'engines'))) expect(left(on).filter((each) => each !== 'engine-install.log')).toEqual([])
    expect((await assay(on, ['list'])).out).toMatch(/^No engine is installed/)
  })

  test('a failure leaves the engine that was there', async () => {
    const on = machine()
    await assay(on, ['install'])
    expect((await assay(on, ['install'], { probe: 'crash' })).code).toBe(3)
    expect((await assay(on, ['list'])).out).toContain(`${name}  ready`)
  })

  test('Ctrl-C ends what runs, and leaves nothing', async () => {
    const on = machine()
    const pidFile = join(on.home, 'npm.pid')
    let asked = false
    const { code, err } = await assay(
      on,
      ['install'],
      { npm: 'hangs' },
      {
        onErr: (text, stop) => {
          if (asked || !text.includes('fetching')) return
          asked = true
          const poll = setInterval(() => {
            if (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') return
            clearInterval(poll)
            stop()
          }, 20)
        },
      },
    )
    expect(code).toBe(130)
    expect(err).toContain('Cancelled. Nothing was left half-written.')
    const npm = Number(readFileSync(pidFile, 'utf8'))
    rmSync(pidFile)
    expect(() => process.kill(npm, 0)).toThrow()
    expect(left(on)).toEqual([])
  })
})

describe.skipIf(process.platform === 'win32')('an installed engine', () => {
  /** What the ladder makes of it: the stand-in binding loads nothing, so a usable one ends in a failure to load. */
  const reason = async (on: Machine) => {
    const failure = await openBackend('native', { threads: 1, home: on.home }).catch((thrown) => thrown)
    expect(failure).toBeInstanceOf(EngineUnavailable)
    return (failure as EngineUnavailable).reason
  }
  const edit = (on: Machine, change: Record<string, unknown>) =>
    writeFileSync(join(folderOf(on), 'manifest.json'), JSON.stringify({ ...manifestOf(on), ...change }))

  test.each<[string, (on: Machine) => void, RegExp]>([
    [
      'another version of Assay',
      (on) => edit(on, { schema: 'assay-engine/9' }),
      /Another version of Assay installed it \(assay-engine\/9\)/,
    ],
    [
      'another TensorFlow.js',
      (on) => edit(on, { packageVersion: '4.1.0' }),
      /built for @tensorflow\/tfjs-node-gpu 4\.1\.0; this version of Assay uses 4\.22\.0/,
    ],
    ['another processor', (on) => edit(on, { arch: 'riscv64' }), /It was built for \w+ on riscv64; this is \w+ on \w+\./],
    ['a newer Node', (on) => edit(on, { napi: 99 }), /needs Node-API 99/],
    ['half an installation', (on) => rmSync(join(folderOf(on), 'manifest.json')), /its installation did not finish/],
    [
      'a manifest that is none',
      (on) => writeFileSync(join(folderOf(on), 'manifest.json'), '{"schema":'),
      /its installation did not finish/,
    ],
    ['no binding', (on) => rmSync(join(folderOf(on), binding)), /Its binding is missing/],
    ['a TensorFlow that is gone', (on) => rmSync(on.tensorflow, { recursive: true }), /is no longer in/],
    [
      'a TensorFlow that has been replaced',
      (on) => writeFileSync(join(on.tensorflow, 'libtensorflow_cc.so.2'), 'another one'),
      /has changed since/,
    ],
    ['a TensorFlow of the same size', (on) => utimesSync(join(on.tensorflow, 'libtensorflow_cc.so.2'), 1, 1), /has changed since/],
  ])('of %s is ignored with a sentence, and the ladder goes on', async (_, spoil, says) => {
    const on = machine()
    await assay(on, ['install'])
    spoil(on)
    const why = await reason(on)
    expect(why).toMatch(says)
    expect(why).toContain(folderOf(on))
    expect(why).toMatch(/Install it again: `assay engine install`\.$/)
    const listed = await assay(on, ['list'])
    expect(listed.code).toBe(0)
    expect(listed.out).toMatch(says)
    expect(listed.out).toContain(`${name}  ignored`)
    const { engines } = JSON.parse((await assay(on, ['list', '--format', 'json'])).out)
    expect(engines).toMatchObject([{ name, used: false, reason: expect.stringMatching(says) }])
  })

  test('that cannot be loaded is a reason, too', async () => {
    const on = machine()
    await assay(on, ['install'])
    expect(await reason(on)).toMatch(/\.$/)
  })

  test('that found no GPU is not loaded to look for one', async () => {
    const on = machine()
    await assay(on, ['install'])
    const failure = await openBackend('gpu', { threads: 1, home: on.home }).catch((thrown) => thrown)
    expect(failure.reason).toBe('TensorFlow 2.18.1, as `assay engine install` built it, found no GPU.')
  })

  test('is removed, by name or with all others', async () => {
    const on = machine()
    await assay(on, ['install'])
    const wrong = await assay(on, ['remove', 'nativ'])
    expect(wrong).toMatchObject({ code: 2, err: `There is no installed engine \`nativ\`. There is \`${name}\`.\n` })
    expect(await assay(on, ['remove', name])).toMatchObject({ code: 0, out: `removed ${name}\n` })
    await assay(on, ['install'])
    expect(await assay(on, ['remove'])).toMatchObject({ code: 0, out: `removed ${name}\n` })
    expect(left(on)).toEqual([])
    expect((await assay(on, ['remove'])).out).toMatch(/^No engine is installed/)
  })
})

test("the binding's version is that of our own TensorFlow.js", () => {
  const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(dependencies['@tensorflow/tfjs-core']).toBe(packageVersion)
})
