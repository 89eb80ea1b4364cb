import type { Readable, Writable } from 'node:stream'
import {
  CodeActionKind,
  type CodeActionParams,
  type Connection,
  createConnection,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  ErrorCodes,
  ExecuteCommandRequest,
  type InitializeParams,
  type InitializeResult,
  LSPErrorCodes,
  MessageType,
  type ReferenceParams,
  type RenameParams,
  ResponseError,
  ShowDocumentRequest,
  ShowMessageNotification,
  StreamMessageReader,
  StreamMessageWriter,
  TextDocumentSyncKind,
} from 'vscode-languageserver/node'
import { codeActions } from './features/code-actions.ts'
import { complete } from './features/completion.ts'
import { definition } from './features/definition.ts'
import { diagnosticsOf } from './features/diagnostics.ts'
import { foldingRanges } from './features/folding.ts'
import { formattingEdits } from './features/formatting.ts'
import { hover } from './features/hover.ts'
import { inlayHints } from './features/inlay-hints.ts'
import { codeLenses } from './features/lenses.ts'
import { documentLinks } from './features/links.ts'
import { highlights, references } from './features/references.ts'
import { prepareRename, type Refused, rename } from './features/rename.ts'
import { semanticLegend, semanticTokens } from './features/semantic-tokens.ts'
import { signatureHelp } from './features/signature-help.ts'
import { documentSymbols, workspaceSymbols } from './features/symbols.ts'
import {
  type ClientOptions,
  commands,
  defaultSettings,
  notifications,
  type PlaceInText,
  type ResultArguments,
  requests,
  type Settings,
  showCommand,
} from './protocol/messages.ts'
import { inert } from './report/inert.ts'
import { viewOf } from './server/commands.ts'
import { dataDocuments, registerData } from './server/data-documents.ts'
import { makeDiagnosing } from './server/diagnosing.ts'
import { executor } from './server/executor.ts'
import { openMarks } from './server/marks.ts'
import { openPages } from './server/pages.ts'
import { progressDesk } from './server/progress.ts'
import { pathOf } from './server/spec-files.ts'
import { Unable } from './server/unable.ts'
import { type Host, openWorkspace, type Workspace } from './server/workspace.ts'
import type { Snapshot } from './workspace/snapshot.ts'

/**
 * The language server: what it can do, which request is answered by which feature, when problems are told, what starts and ends. Every answer is a
 * plain function of a snapshot (`features/`); what lasts longer than a request stands in `server/`. Nothing here waits for data or for the engine
 * but runs, which are asked for by command.
 */
export interface Streams {
  readonly input: Readable
  readonly output: Writable
}

const debounceMs = 150

/** Serves one client until its input ends; answers the exit code. */
export function serve(streams: Streams, host: Host): Promise<number> {
  const connection = createConnection(new StreamMessageReader(streams.input), new StreamMessageWriter(streams.output))
  const workspace = openWorkspace(host)
  const stop = compose(connection, workspace)
  return new Promise((resolve) => {
    const end = () => {
      stop()
      workspace.close().then(
        () => resolve(0),
        () => resolve(0),
      )
    }
    streams.input.once('end', end)
    streams.input.once('close', end)
    connection.listen()
  })
}

interface Client {
  readonly params: InitializeParams
  readonly options: ClientOptions
}

function compose(connection: Connection, workspace: Workspace): () => void {
  let client: Client | undefined
  const { files } = workspace
  const can = () => client?.params.capabilities

  const publish = (path: string) => {
    const snapshot = workspace.snapshot(path)
    if (snapshot?.version === undefined) return
    void connection.sendDiagnostics({
      uri: files.uri(path),
      version: snapshot.version,
      diagnostics: [...diagnosticsOf(snapshot), ...marks.onSpec(snapshot)],
    })
  }
  const marks = openMarks(workspace, {
    data: (uri, version, diagnostics) => void connection.sendDiagnostics({ uri, version, diagnostics }),
    spec: publish,
  })
  const data = dataDocuments(workspace, marks)
  /** Open files whose data may be other than a moment ago. */
  const watched = new Set<string>()
  const diagnosing = makeDiagnosing((path) => {
    publish(path)
    workspace.refresh(path, { force: watched.delete(path) }).then(
      (changed) => {
        marks.refresh(path)
        if (!changed) return
        for (const open of files.opened) publish(open)
        refreshViews()
      },
      // Its schemas stay unknown: the file says so when it is run.
      () => {},
    )
  })
  const scheduleAll = (delayMs: number) => {
    for (const path of files.opened) diagnosing.schedule(path, delayMs)
  }
  const scheduleReaching = (path: string, delayMs: number) => {
    for (const open of files.opened) if (open === path || workspace.snapshot(open)?.files.has(path)) diagnosing.schedule(open, delayMs)
  }
  const refreshViews = () => {
    const { codeLens, inlayHint, semanticTokens: tokens } = can()?.workspace ?? {}
    const quietly = (sent: Promise<unknown>) => void sent.catch(() => {})
    if (codeLens?.refreshSupport) quietly(connection.sendRequest('workspace/codeLens/refresh'))
    if (inlayHint?.refreshSupport) quietly(connection.languages.inlayHint.refresh())
    if (tokens?.refreshSupport) quietly(connection.sendRequest('workspace/semanticTokens/refresh'))
  }
  workspace.onCounted = refreshViews
  const readSettings = async () => {
    if (!can()?.workspace?.configuration) return
    const found = (await connection.workspace.getConfiguration('assay').catch(() => undefined)) as Partial<Settings> | undefined
    workspace.settings = { ...defaultSettings, ...client?.options.settings, ...dropNull(found) }
    refreshViews()
    marks.refreshAll()
  }

  connection.onInitialize((params): InitializeResult => {
    const options = (params.initializationOptions ?? {}) as ClientOptions
    client = { params, options }
    workspace.trusted = options.trusted !== false
    workspace.settings = { ...defaultSettings, ...dropNull(options.settings) }
    const roots = params.workspaceFolders?.map((folder) => folder.uri) ?? (params.rootUri ? [params.rootUri] : [])
    workspace.folders = roots.filter((uri) => uri.startsWith('file:')).map(pathOf)
    return { capabilities: capabilities(), serverInfo: { name: 'assay' } }
  })
  connection.onInitialized(() => {
    desk.listen()
    void readSettings()
    const registrations = can()?.workspace
    if (registrations?.didChangeConfiguration?.dynamicRegistration)
      void connection.client.register(DidChangeConfigurationNotification.type, { section: 'assay' })
    if (registrations?.didChangeWatchedFiles?.dynamicRegistration) {
      const watchers = [{ globPattern: '**/*.{assay,csv,tsv,tab,parquet,json,jsonl,ndjson}' }]
      void connection.client.register(DidChangeWatchedFilesNotification.type, { watchers })
    }
    registerData(connection, can())
    if (registrations?.workspaceFolders) {
      connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        const gone = new Set(removed.map((folder) => pathOf(folder.uri)))
        workspace.folders = [...workspace.folders.filter((one) => !gone.has(one)), ...added.map((folder) => pathOf(folder.uri))]
      })
    }
  })
  connection.onDidChangeConfiguration(({ settings }) => {
    const given = (settings as { assay?: Partial<Settings> } | undefined)?.assay
    if (given) workspace.settings = { ...defaultSettings, ...client?.options.settings, ...dropNull(given) }
    void readSettings()
  })
  connection.onDidChangeWatchedFiles(() => {
    workspace.touch()
    for (const path of files.opened) watched.add(path)
    scheduleAll(debounceMs)
    refreshViews()
    marks.refreshAll()
  })
  connection.onNotification(notifications.trust, () => {
    workspace.trusted = true
    workspace.touch()
    scheduleAll(0)
  })

  connection.onDidOpenTextDocument((params) => {
    if (data.opened(params)) return
    const path = files.open(params.textDocument)
    workspace.touch()
    diagnosing.schedule(path, 0)
  })
  connection.onDidChangeTextDocument((params) => {
    if (data.changed(params)) return
    const { textDocument, contentChanges } = params
    const path = files.change(textDocument.uri, contentChanges as never, textDocument.version)
    if (path === undefined) return
    workspace.touch()
    diagnosing.schedule(path, debounceMs)
    for (const open of files.opened)
      if (open !== path && (files.file(open)?.ast.imports.length ?? 0) > 0) diagnosing.schedule(open, debounceMs)
  })
  connection.onDidSaveTextDocument(({ textDocument }) => {
    if (data.has(textDocument)) return
    workspace.touch()
    scheduleReaching(pathOf(textDocument.uri), debounceMs)
  })
  connection.onDidCloseTextDocument(({ textDocument }) => {
    if (data.closed(textDocument)) return
    const path = files.close(textDocument.uri)
    if (path === undefined) return
    workspace.touch()
    diagnosing.forget(path)
    void connection.sendDiagnostics({ uri: textDocument.uri, diagnostics: [] })
    marks.refresh(path)
  })

  const at = <P extends { readonly textDocument: { readonly uri: string } }, R>(answer: (snapshot: Snapshot, params: P) => R) => {
    return (params: P): R | null => {
      const snapshot = data.has(params.textDocument) ? undefined : workspace.snapshot(pathOf(params.textDocument.uri))
      return snapshot === undefined ? null : (answer(snapshot, params) ?? null)
    }
  }
  type Placed = { readonly textDocument: { readonly uri: string }; readonly position: Parameters<typeof definition>[1] }
  /** Answered from all files that reach the one that declares what is named at the position: they may name it too. */
  const across = <P extends Placed, R>(answer: (snapshot: Snapshot, others: readonly Snapshot[], params: P) => R) => {
    return async (params: P): Promise<R | null> => {
      const snapshot = workspace.snapshot(pathOf(params.textDocument.uri))
      if (snapshot === undefined) return null
      const found = definition(snapshot, params.position)
      return answer(snapshot, await workspace.reaching(found ? pathOf(found.uri) : snapshot.path), params)
    }
  }

  connection.onCompletion(
    at((snapshot, params) => {
      const items = complete(snapshot, params.position, {
        snippets: can()?.textDocument?.completion?.completionItem?.snippetSupport ?? false,
      })
      // A blank asks for names, not for words and functions.
      return params.context?.triggerCharacter === ' ' ? items.filter((item) => !/^[cdxyz]/.test(item.sortText ?? 'x')) : items
    }),
  )
  connection.onHover(at((snapshot, { position }) => hover(snapshot, position)))
  connection.onDefinition(at((snapshot, { position }) => definition(snapshot, position)))
  connection.onReferences(
    across((snapshot, others, params: ReferenceParams) => references(snapshot, params.position, others, params.context)),
  )
  connection.onDocumentHighlight(at((snapshot, { position }) => highlights(snapshot, position)))
  connection.onPrepareRename(at((snapshot, { position }) => accepted(prepareRename(snapshot, position))))
  connection.onRenameRequest(
    across((snapshot, others, params: RenameParams) => accepted(rename(snapshot, params.position, params.newName, others))),
  )
  connection.onDocumentLinks(at((snapshot) => documentLinks(snapshot)))
  connection.onDocumentSymbol(at((snapshot) => documentSymbols(snapshot)))
  connection.onWorkspaceSymbol(async ({ query }) => {
    const paths = await files.below(workspace.folders)
    const known = paths.map((path) => files.file(path)).filter((file) => file !== undefined)
    return workspaceSymbols(known, query, files.uri)
  })
  connection.onFoldingRanges(at((snapshot) => foldingRanges(snapshot)))
  connection.onDocumentFormatting(at((snapshot) => formattingEdits(snapshot)))
  connection.onDocumentRangeFormatting(
    at((snapshot, { range }) =>
      formattingEdits(snapshot).filter((edit) => edit.range.start.line >= range.start.line && edit.range.end.line <= range.end.line),
    ),
  )
  const inSpec = at((snapshot, { range }: CodeActionParams) => codeActions(snapshot, range))
  connection.onCodeAction((params: CodeActionParams) => (data.has(params.textDocument) ? data.actions(params) : inSpec(params)))
  connection.onCodeLens(at((snapshot) => (workspace.settings.lenses ? codeLenses(snapshot) : [])))
  connection.onSignatureHelp(at((snapshot, { position }) => signatureHelp(snapshot, position)))
  connection.languages.semanticTokens.on(at((snapshot) => semanticTokens(snapshot)) as never)
  connection.languages.inlayHint.on(at((snapshot, { range }) => (workspace.settings.inlayHints ? inlayHints(snapshot, range) : [])))

  /** Specs with results since the last run ended. */
  const ran = new Set<string>()
  const execute = executor(workspace, {
    status: (params) => void connection.sendNotification(notifications.status, params),
    ran: (params) => {
      ran.add(pathOf(params.uri))
      void connection.sendNotification(notifications.ran, params)
    },
    say: (message, mood) => {
      if (client?.options.showsResults) return
      const type = mood === 'bad' ? MessageType.Warning : MessageType.Info
      void connection.sendNotification(ShowMessageNotification.type, { type, message })
    },
    finished: () => {
      refreshViews()
      for (const path of ran) marks.refresh(path)
      ran.clear()
    },
  })
  const desk = progressDesk(connection)
  // Not `onExecuteCommand`, which takes the client's token out of the request.
  connection.onRequest(ExecuteCommandRequest.type, async ({ command, arguments: args, workDoneToken }, token) => {
    if (command === showCommand) return showPlace(args?.[0])
    const own = can()?.window?.workDoneProgress && command === commands.run ? 'may make a token' : 'only that of the client'
    try {
      return await execute(command, args?.[0], desk.of(workDoneToken, token, own))
    } catch (reason) {
      throw refusal(reason)
    }
  })
  const pages = openPages(workspace)
  const answering = <T>(answer: Promise<T>) => answer.catch((reason) => Promise.reject(refusal(reason)))
  const showPlace = async (given: unknown) => {
    const { uri, range } = (given ?? {}) as Partial<PlaceInText>
    if (typeof uri !== 'string' || range === undefined)
      throw new ResponseError(LSPErrorCodes.RequestFailed, 'This command takes a place: { "uri": …, "range": … }.')
    if (!can()?.window?.showDocument?.support)
      throw new ResponseError(LSPErrorCodes.RequestFailed, `This editor cannot be asked to show \`${inert(uri, 300)}\`: open it by hand.`)
    await connection.sendRequest(ShowDocumentRequest.type, { uri, takeFocus: true, selection: range })
    return null
  }
  connection.onRequest(requests.view, (params: ResultArguments) => answering((async () => viewOf(workspace, params) ?? null)()))
  connection.onRequest(requests.page, (address: unknown, token) =>
    answering(pages.page(address, (stop) => token.onCancellationRequested(stop))),
  )
  connection.onRequest(requests.act, (args: unknown) => answering(pages.act(args)))
  connection.onShutdown(() => workspace.close())
  return () => {
    diagnosing.close()
    marks.close()
  }
}

/** What is thrown to a client: a sentence. */
function refusal(reason: unknown): ResponseError<void> {
  if (reason instanceof Unable) return new ResponseError(LSPErrorCodes.RequestFailed, reason.message)
  return new ResponseError(ErrorCodes.InternalError, `Assay itself failed: ${reason instanceof Error ? reason.message : String(reason)}`)
}

function accepted<T extends object>(answer: T | Refused): T {
  if ('refused' in answer) throw new ResponseError(LSPErrorCodes.RequestFailed, answer.refused)
  return answer
}

function capabilities(): InitializeResult['capabilities'] {
  return {
    textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental, save: { includeText: false } },
    completionProvider: { triggerCharacters: ['.', '(', ',', ':', ' '] },
    hoverProvider: true,
    definitionProvider: true,
    referencesProvider: true,
    documentHighlightProvider: true,
    renameProvider: { prepareProvider: true },
    documentLinkProvider: {},
    documentSymbolProvider: true,
    workspaceSymbolProvider: true,
    foldingRangeProvider: true,
    documentFormattingProvider: true,
    documentRangeFormattingProvider: true,
    codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix, CodeActionKind.RefactorExtract] },
    codeLensProvider: {},
    signatureHelpProvider: { triggerCharacters: ['(', ','] },
    inlayHintProvider: true,
    semanticTokensProvider: { legend: semanticLegend, full: true },
    executeCommandProvider: { commands: [...Object.values(commands), showCommand], workDoneProgress: true },
    workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
  }
}

/** Editors hand over null for what is not set. */
function dropNull<T extends object>(given: T | undefined | null): Partial<T> {
  return Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== null && value !== undefined)) as Partial<T>
}
