import { type Disposable, type LogOutputChannel, workspace } from 'vscode'
import { commands } from '../../server/src/protocol/messages.ts'
import type { Result, ResultFile } from '../../server/src/protocol/results.ts'
import { needsNoModel } from './model-free.ts'
import type { Runner } from './runner.ts'
import type { Server } from './server.ts'

/** Where the setting says so, a saved spec has its assertions run again, but for those that would train or ask a model. */
export function runOnSave(server: Server, runner: Runner, log: LogOutputChannel): Disposable {
  const busy = new Set<string>()
  return workspace.onDidSaveTextDocument(async (document) => {
    if (document.languageId !== 'assay' || !workspace.isTrusted) return
    if (workspace.getConfiguration('assay', document).get('run.onSave') !== 'assertions') return
    const uri = document.uri.toString()
    if (busy.has(uri)) return
    busy.add(uri)
    try {
      const names = (await server.declared(uri)).filter((one) => one.kind === 'assert').map((one) => one.name)
      if (names.length === 0) return
      const planned = await server.command<ResultFile>(commands.plan, { uri, names })
      const free = planned.results.filter((one: Result) => one.status === 'planned' && needsNoModel(one)).map((one) => one.name)
      if (free.length > 0) await runner.run({ uri, names: free }, { telling: 'quiet' })
    } catch (reason) {
      // A spec that is being written has errors; they are marked already.
      log.info(`Nothing was run on saving: ${reason instanceof Error ? reason.message : reason}`)
    } finally {
      busy.delete(uri)
    }
  })
}
