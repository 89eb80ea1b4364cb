import {
  type CancellationToken,
  type Disposable,
  Location,
  MarkdownString,
  Range,
  type TestController,
  type TestItem,
  TestMessage,
  type TestRun,
  TestRunProfileKind,
  type TestRunRequest,
  tests,
  Uri,
  workspace,
} from 'vscode'
import type { ResultFile } from '../../server/src/protocol/results.ts'
import { kindIn, type Span } from './declarations.ts'
import { inertText } from './inert-text.ts'
import { asked, firstError, reasonOf } from './outcomes.ts'
import type { Runner } from './runner.ts'
import type { Server } from './server.ts'
import { failureMarkdown, testVerdict } from './test-messages.ts'

/** Assertions and complaints as tests, a file above them. They are what can hold or fail; everything else is only computed. */
export function testExplorer(server: Server, runner: Runner): Disposable {
  const controller = tests.createTestController('assay', 'Assay')
  const isTest = (kind: string) => kind === 'assert' || kind === 'complaint'
  let editing: NodeJS.Timeout | undefined

  const fill = (uri: Uri, declared: readonly Entry[]) => {
    const key = uri.toString()
    const found = declared.filter((one) => isTest(one.kind))
    if (found.length === 0) return controller.items.delete(key)
    let file = controller.items.get(key)
    if (file === undefined) {
      file = controller.createTestItem(key, workspace.asRelativePath(uri), uri)
      controller.items.add(file)
    }
    file.children.replace(
      found.map(({ name, kind, range }) => {
        const item = controller.createTestItem(`${key}#${name.toLowerCase()}`, inertText(name, 120), uri)
        item.description = kind === 'assert' ? 'assertion' : kind
        item.range = rangeOf(range)
        item.sortText = String(range.start.line).padStart(7, '0')
        return item
      }),
    )
  }
  const refreshFile = async (uri: Uri) =>
    fill(
      uri,
      (await server.declared(uri.toString())).map((one) => ({ ...one, range: one.nameRange })),
    )
  const refreshAll = async () => {
    const symbols = await server.request<WorkspaceSymbol[] | null>('workspace/symbol', { query: '' })
    const files = new Map<string, Entry[]>()
    for (const { name, containerName, location } of symbols ?? []) {
      const uri = Uri.parse(location.uri).toString()
      files.set(uri, [...(files.get(uri) ?? []), { name, kind: kindIn(containerName), range: location.range }])
    }
    for (const [uri, entries] of files) fill(Uri.parse(uri), entries)
    const gone: string[] = []
    controller.items.forEach((item) => void (files.has(item.id) || gone.push(item.id)))
    for (const id of gone) controller.items.delete(id)
  }

  const run = async (request: TestRunRequest, token: CancellationToken) => {
    const run = controller.createTestRun(request)
    try {
      for (const [file, items] of chosen(controller, request)) {
        if (token.isCancellationRequested) break
        for (const item of items) run.started(item)
        await runFile(runner, run, file, items, token)
      }
    } finally {
      run.end()
    }
  }

  controller.resolveHandler = (item) => (item === undefined ? refreshAll().catch(() => {}) : undefined)
  controller.refreshHandler = () => refreshAll()
  controller.createRunProfile('Run', TestRunProfileKind.Run, run, true)
  const soon = (uri: Uri) => {
    clearTimeout(editing)
    editing = setTimeout(() => void refreshFile(uri).catch(() => {}), 500)
  }
  const isSpec = (document: { readonly languageId: string; readonly uri: Uri }) =>
    document.languageId === 'assay' && document.uri.scheme === 'file'
  const watching = [
    workspace.onDidOpenTextDocument((document) => isSpec(document) && void refreshFile(document.uri).catch(() => {})),
    workspace.onDidChangeTextDocument(({ document }) => isSpec(document) && soon(document.uri)),
    workspace.onDidDeleteFiles(({ files }) => {
      for (const file of files) controller.items.delete(file.toString())
    }),
  ]
  for (const document of workspace.textDocuments) if (isSpec(document)) void refreshFile(document.uri).catch(() => {})
  return {
    dispose: () => {
      clearTimeout(editing)
      for (const one of [...watching, controller]) one.dispose()
    },
  }
}

interface Entry {
  readonly name: string
  readonly kind: string
  readonly range: Span
}
interface WorkspaceSymbol {
  readonly name: string
  readonly containerName?: string
  readonly location: { readonly uri: string; readonly range: Span }
}
const rangeOf = ({ start, end }: Span) => new Range(start.line, start.character, end.line, end.character)

/** The tests that were asked for, by file, those left out left out. */
function chosen(controller: TestController, request: TestRunRequest): Map<TestItem, TestItem[]> {
  const files = new Map<TestItem, TestItem[]>()
  const left = new Set(request.exclude)
  const add = (item: TestItem) => {
    if (left.has(item)) return
    if (item.parent === undefined) return item.children.forEach(add)
    files.set(item.parent, [...(files.get(item.parent) ?? []), item])
  }
  if (request.include) for (const item of request.include) add(item)
  else controller.items.forEach(add)
  return files
}

async function runFile(runner: Runner, run: TestRun, file: TestItem, items: readonly TestItem[], token: CancellationToken): Promise<void> {
  const message = (item: TestItem, text: string | MarkdownString) => {
    const said = new TestMessage(text)
    if (item.uri && item.range) said.location = new Location(item.uri, item.range)
    return said
  }
  let answer: ResultFile | undefined
  try {
    answer = await runner.run({ uri: file.uri!.toString(), names: items.map((item) => item.label) }, { telling: 'quiet', token })
  } catch (reason) {
    for (const item of items) run.errored(item, message(item, reason instanceof Error ? reason.message : String(reason)))
    return
  }
  for (const item of items) {
    const [result] = answer ? asked(answer, [item.label]) : []
    const ms = result?.provenance.elapsedMs
    const verdict = testVerdict(result)
    if (verdict === 'passed') run.passed(item, ms)
    if (verdict === 'failed') run.failed(item, message(item, new MarkdownString(failureMarkdown(result!))), ms)
    if (verdict === 'errored') run.errored(item, message(item, reasonOf(result!) || 'It could not be computed.'), ms)
    if (verdict !== 'skipped') continue
    const error = result === undefined && answer ? firstError(answer.problems) : undefined
    if (error) run.errored(item, message(item, `Nothing was computed: ${reasonOf(error)}`))
    else run.skipped(item)
    const why = result && reasonOf(result)
    if (why) run.appendOutput(`${item.label}: ${why}\r\n`, undefined, item)
  }
}
