import {
  type ClientCapabilities,
  type CodeAction,
  CodeActionKind,
  type CodeActionParams,
  CodeActionRequest,
  type Connection,
  DidChangeTextDocumentNotification,
  type DidChangeTextDocumentParams,
  DidCloseTextDocumentNotification,
  DidOpenTextDocumentNotification,
  type DidOpenTextDocumentParams,
  TextDocumentSyncKind,
} from 'vscode-languageserver/node'
import { type MarkData, markActions, markDataOf } from '../features/marks.ts'
import { excludeActions } from '../features/marks-exclude.ts'
import type { PlaceInText } from '../protocol/messages.ts'
import { rangeOf, type Snapshot } from '../workspace/snapshot.ts'
import { isDataFile, type Marks } from './marks.ts'
import { pathOf } from './spec-files.ts'
import type { Workspace } from './workspace.ts'

/** Files of data that are open in the editor: they are of interest for what is marked in them only. Each handler answers whether the file was one of them. */
export interface DataDocuments {
  has(document: { readonly uri: string }): boolean
  opened(params: DidOpenTextDocumentParams): boolean
  changed(params: DidChangeTextDocumentParams): boolean
  closed(document: { readonly uri: string }): boolean
  /** On flagged rows: to their rules, and out of what is read. */
  actions(params: CodeActionParams): CodeAction[]
}

/** A client that can is asked for them besides specs. */
const documentSelector = [{ scheme: 'file', pattern: '**/*.{csv,tsv,tab,jsonl,ndjson}' }]

export function dataDocuments(workspace: Workspace, marks: Marks): DataDocuments {
  const pathIn = ({ uri }: { readonly uri: string }): string | undefined => {
    const path = pathOf(uri)
    return isDataFile(path) && !workspace.files.opened.includes(path) ? path : undefined
  }
  const specOf = ({ uri }: MarkData) => workspace.snapshot(pathOf(uri))
  return {
    has: (document) => pathIn(document) !== undefined,
    opened: ({ textDocument: { languageId, uri, version, text } }) => {
      const path = languageId === 'assay' ? undefined : pathIn({ uri })
      if (path !== undefined) marks.openData(path, uri, version, text)
      return path !== undefined
    },
    changed: ({ textDocument, contentChanges }) => {
      const path = pathIn(textDocument)
      if (path !== undefined) marks.changeData(path, contentChanges, textDocument.version)
      return path !== undefined
    },
    closed: (document) => {
      const path = pathIn(document)
      if (path !== undefined) marks.closeData(path)
      return path !== undefined
    },
    actions: ({ context }) => {
      const rules = new Map(context.diagnostics.flatMap((one) => (markDataOf(one) ? [[markDataOf(one)!.rule, one] as const] : [])))
      return [
        ...markActions(context.diagnostics, (data) => declarationPlace(specOf(data), data.rule)),
        ...[...rules].flatMap(([rule, diagnostic]) => {
          const snapshot = specOf(markDataOf(diagnostic)!)
          return snapshot ? excludeActions(snapshot, rule).map((action) => ({ ...action, diagnostics: [diagnostic] })) : []
        }),
      ]
    },
  }
}

export function registerData(connection: Connection, can: ClientCapabilities | undefined): void {
  if (can?.textDocument?.synchronization?.dynamicRegistration) {
    void connection.client.register(DidOpenTextDocumentNotification.type, { documentSelector })
    void connection.client.register(DidChangeTextDocumentNotification.type, {
      documentSelector,
      syncKind: TextDocumentSyncKind.Incremental,
    })
    void connection.client.register(DidCloseTextDocumentNotification.type, { documentSelector })
  }
  if (can?.textDocument?.codeAction?.dynamicRegistration)
    void connection.client.register(CodeActionRequest.type, { documentSelector, codeActionKinds: [CodeActionKind.QuickFix] })
}

/** Where a rule's name stands now. */
function declarationPlace(snapshot: Snapshot | undefined, name: string): PlaceInText | undefined {
  const decl = snapshot?.ast.declarations.find((one) => one.name?.text === name)
  return snapshot && decl?.name ? { uri: snapshot.uri(snapshot.path), range: rangeOf(snapshot, decl.name) } : undefined
}
