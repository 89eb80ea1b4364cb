import { type Disposable, type TextDocument, workspace } from 'vscode'
import type { LanguageClient } from 'vscode-languageclient/node'

/**
 * Open data files as they are in the editor, so that the server can mark rows in them: their text is synchronised, and nothing else is asked
 * about them, so that no other extension for tables gets a rival. What is very large is left to the disk.
 */
export function syncDataDocuments(client: LanguageClient): Disposable {
  const open = new Set<string>()
  const send = (method: string, params: object) => void client.sendNotification(method, params).catch(() => {})
  const opened = (document: TextDocument) => {
    if (!isData(document) || open.has(document.uri.toString())) return
    const text = document.getText()
    if (text.length > mostCharacters) return
    const uri = document.uri.toString()
    open.add(uri)
    send('textDocument/didOpen', { textDocument: { uri, languageId: document.languageId, version: document.version, text } })
  }
  for (const document of workspace.textDocuments) opened(document)
  const listening = [
    workspace.onDidOpenTextDocument(opened),
    workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      const uri = document.uri.toString()
      if (!open.has(uri) || contentChanges.length === 0) return
      const changes = contentChanges.map(({ range, text }) => ({
        range: {
          start: { line: range.start.line, character: range.start.character },
          end: { line: range.end.line, character: range.end.character },
        },
        text,
      }))
      send('textDocument/didChange', { textDocument: { uri, version: document.version }, contentChanges: changes })
    }),
    workspace.onDidSaveTextDocument((document) => {
      const uri = document.uri.toString()
      if (open.has(uri)) send('textDocument/didSave', { textDocument: { uri } })
    }),
    workspace.onDidCloseTextDocument((document) => {
      const uri = document.uri.toString()
      if (open.delete(uri)) send('textDocument/didClose', { textDocument: { uri } })
    }),
  ]
  return { dispose: () => listening.forEach((one) => void one.dispose()) }
}

const mostCharacters = 16 * 2 ** 20
const isData = ({ uri }: TextDocument) => uri.scheme === 'file' && /\.(csv|tsv|jsonl|ndjson)$/i.test(uri.path)
