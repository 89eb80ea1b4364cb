import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

/** The table "Who may import whom" of ARCHITECTURE.md, read from the imports themselves. */
const root = fileURLToPath(new URL('..', import.meta.url))

type Layer = string
/** `types` after a layer: only `import type`. A layer may always import itself. */
const may: Readonly<Record<Layer, readonly string[]>> = {
  grammar: [],
  protocol: [],
  sql: [],
  methods: [],
  learn: ['methods'],
  check: ['grammar', 'sql'],
  plan: ['grammar', 'check types', 'sql', 'protocol types'],
  data: ['sql'],
  engine: ['plan', 'methods', 'learn', 'data', 'sql', 'check types', 'protocol types'],
  workspace: ['grammar', 'check', 'sql types', 'protocol types'],
  report: ['grammar types', 'check types', 'engine types', 'protocol types'],
  features: ['grammar', 'check', 'plan', 'workspace', 'protocol', 'report'],
  cli: ['grammar', 'check', 'plan', 'sql types', 'workspace', 'protocol types', 'report', 'engine', 'learn', 'data', 'methods'],
  main: ['cli', 'server', 'engine'],
  server: ['grammar', 'check', 'plan', 'workspace', 'protocol', 'report', 'engine', 'features', 'data', 'methods', 'cli'],
  client: ['protocol'],
  webview: ['protocol types'],
}

/** Packages that only these files may name. */
const packages: readonly { readonly name: RegExp; readonly in: RegExp }[] = [
  { name: /^@duckdb\//, in: /^server\/src\/data\/duckdb[\w-]*\.ts$/ },
  { name: /^(@tensorflow\/|onnxruntime|webgpu$)/, in: /^server\/src\/learn\/backends\// },
  { name: /^vscode-languageserver/, in: /^server\/src\/(server\.ts$|server\/|features\/|report\/)/ },
  { name: /^@vscode\/webview-ui-toolkit$/, in: /^client\/webview\/ui\.ts$/ },
  // For tests and scripts: nothing that is shipped names them.
  { name: /^(@vscode\/(?!webview-ui-toolkit$)|playwright|axe-core|mocha|vitest|esbuild|@biomejs\/)/, in: /^$/ },
  { name: /^vscode$/, in: /^client\/src\// },
  { name: /^vscode-languageclient/, in: /^client\/src\// },
  { name: /^chevrotain$/, in: /^grammar\// },
  { name: /^commander$/, in: /^server\/src\/(cli\.ts$|cli\/)/ },
  { name: /^(@observablehq\/plot|linkedom|fast-png)$/, in: /^server\/src\/report\// },
]
const pure = /^(grammar|server\/src\/(methods|check|sql|protocol))\//
const quiet = /^server\/src\/(methods|learn)\//

interface Import {
  readonly from: string
  /** A package's name, or a path below the root. */
  readonly to: string
  readonly typeOnly: boolean
}
const files = ['grammar', 'server', 'client']
  .flatMap((folder) => sources(join(root, folder)))
  .map((path) => relative(root, path).replaceAll('\\', '/'))
const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))
const imports = files.flatMap((file) => importsOf(file, texts.get(file)!))
const own = imports.filter((one) => texts.has(one.to))

describe('who may import whom', () => {
  test('there is something to look at', () => expect(own.length).toBeGreaterThan(20))

  test('every import of ours is one that the table allows', () => {
    const wrong = own.filter((one) => !allowed(one)).map((one) => `${one.from} → ${one.to}${one.typeOnly ? ' (types)' : ''}`)
    expect(wrong).toEqual([])
  })

  test('every relative import leads to a file', () => {
    expect(imports.filter((one) => one.to.startsWith('?')).map((one) => `${one.from} → ${one.to}`)).toEqual([])
  })

  test('no import leads back to where it came from', () => expect(cycles()).toEqual([]))

  test('the table itself has no cycle', () => {
    const reach = (layer: Layer, seen: Set<Layer>): Set<Layer> => {
      for (const rule of may[layer] ?? []) {
        const target = rule.replace(' types', '')
        if (!seen.has(target)) reach(target, seen.add(target))
      }
      return seen
    }
    expect(Object.keys(may).filter((layer) => reach(layer, new Set()).has(layer))).toEqual([])
  })

  test('each package is named only where it belongs', () => {
    const wrong = imports.filter((one) => packages.some((p) => p.name.test(one.to) && !p.in.test(one.from)))
    expect(wrong.map((one) => `${one.from} → ${one.to}`)).toEqual([])
  })

  test('what is pure imports nothing of Node', () => {
    expect(imports.filter((one) => one.to.startsWith('node:') && pure.test(one.from)).map((one) => `${one.from} → ${one.to}`)).toEqual([])
  })

  test('methods and learn know no path, clock or global source of randomness', () => {
    const forbidden = /\bMath\.random\(|\bDate\.now\(|\bnew Date\(\)|from 'node:(fs|path|os)/
    const wrong = [...texts].filter(
      ([file, text]) => quiet.test(file) && !file.includes('/backends/') && forbidden.test(withoutComments(text)),
    )
    expect(wrong.map(([file]) => file)).toEqual([])
  })
})

function allowed({ from, to, typeOnly }: Import): boolean {
  const source = layerOf(from)
  const target = layerOf(to)
  if (source === target) return true
  const rules = may[source]
  if (!rules) return false
  return rules.includes(target) || (typeOnly && rules.includes(`${target} types`))
}

function layerOf(file: string): Layer {
  if (file.startsWith('grammar/')) return 'grammar'
  if (file.startsWith('client/webview/')) return 'webview'
  if (file.startsWith('client/')) return 'client'
  const inside = file.slice('server/src/'.length)
  const [first] = inside.split('/')
  return first!.replace(/\.ts$/, '')
}

/** Cycles among files by imports that load something: each as the path that closes it. Depth-first, each edge once. */
function cycles(): string[] {
  const next = new Map<string, string[]>()
  for (const one of own) if (!one.typeOnly) next.set(one.from, [...(next.get(one.from) ?? []), one.to])
  const state = new Map<string, 'open' | 'done'>()
  const found: string[] = []
  const visit = (file: string, trail: readonly string[]) => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') {
      found.push([...trail.slice(trail.indexOf(file)), file].join(' → '))
      return
    }
    state.set(file, 'open')
    for (const target of next.get(file) ?? []) visit(target, [...trail, file])
    state.set(file, 'done')
  }
  for (const file of files) visit(file, [])
  return found
}

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = []
  const code = withoutComments(text)
  const statements = /^\s*(?:import|export)\s+(type\s+)?(?:([^'"`;]*?)\s+from\s+)?'([^']+)'/gm
  for (const [, type, names, path] of code.matchAll(statements)) {
    const everyNameIsType =
      names !== undefined &&
      /^\{[^}]*\}$/.test(names) &&
      names
        .slice(1, -1)
        .split(',')
        .every((n) => n.trim() === '' || n.trim().startsWith('type '))
    found.push({ from: file, to: resolved(file, path!), typeOnly: type !== undefined || everyNameIsType })
  }
  // `typeof import('…')` and `import('…').Name` name types; everything else loads.
  for (const [whole, type, path] of code.matchAll(/(typeof\s+)?import\(\s*'([^']+)'\s*\)/g))
    found.push({ from: file, to: resolved(file, path!), typeOnly: type !== undefined && whole !== '' })
  return found
}

function resolved(file: string, path: string): string {
  if (!path.startsWith('.')) return path
  const target = join(dirname(file), path).replaceAll('\\', '/')
  return texts.has(target) || target.endsWith('.json') ? target : `?${target}`
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

function sources(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts'))
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .filter((path) => !path.includes('node_modules'))
  } catch {
    return []
  }
}
