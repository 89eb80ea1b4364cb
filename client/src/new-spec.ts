import { Uri, window, workspace } from 'vscode'
import { pathFrom, specText } from './spec-text.ts'

const dataFiles = '**/*.{csv,tsv,parquet,json,jsonl,ndjson}'
const mostFiles = 200

/** Writes a spec beside its data: for the file that was clicked, or one that is picked. */
export async function newSpec(clicked: Uri | undefined): Promise<void> {
  const data = clicked ?? (await pickedData())
  if (data === undefined) return
  const folder = data === 'none' ? workspace.workspaceFolders?.[0]?.uri : Uri.joinPath(data, '..')
  const name = data === 'none' ? 'untitled' : data.path.replace(/^.*\//, '').replace(/\.[^.]*$/, '')
  const defaultUri = folder && Uri.joinPath(folder, `${name}.assay`)
  const target = await window.showSaveDialog({ defaultUri, filters: { Assay: ['assay'] }, title: 'New spec' })
  if (target === undefined) return
  const path = data === 'none' ? undefined : pathFrom(Uri.joinPath(target, '..').fsPath, data.fsPath)
  await workspace.fs.writeFile(target, new TextEncoder().encode(specText(path)))
  await window.showTextDocument(target)
}

async function pickedData(): Promise<Uri | 'none' | undefined> {
  const found = await workspace.findFiles(dataFiles, '**/{node_modules,dist,.assay,.git}/**', mostFiles)
  const items = [
    ...found.map((uri) => ({ label: workspace.asRelativePath(uri), uri: uri as Uri | 'browse' | 'none' })),
    { label: '$(folder-opened) Browse…', uri: 'browse' as const },
    { label: '$(file) Without data for now', uri: 'none' as const },
  ]
  const chosen = await window.showQuickPick(items, { title: 'New spec: which data?', placeHolder: 'A file whose rows the spec is about' })
  if (chosen?.uri !== 'browse') return chosen?.uri
  return (await window.showOpenDialog({ canSelectMany: false, openLabel: 'Use This File' }))?.[0]
}
