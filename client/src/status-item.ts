import { commands, type Disposable, LanguageStatusSeverity, languages } from 'vscode'
import type { StatusParams } from '../../server/src/protocol/messages.ts'
import { inertText } from './inert-text.ts'
import type { Server } from './server.ts'
import { stageText } from './stages.ts'

/** Beside the language's name: what the server does (with the log), and what computes (with a restart). */
export function showStatus(server: Server): Disposable {
  const state = languages.createLanguageStatusItem('assay.state', { language: 'assay' })
  const engine = languages.createLanguageStatusItem('assay.engine', { language: 'assay' })
  state.name = 'Assay: state'
  engine.name = 'Assay: engine'
  state.command = { command: 'assay.showLog', title: 'Show Log' }
  engine.command = { command: 'assay.restartServer', title: 'Restart' }
  state.text = 'Starting'
  engine.text = 'Engine: none loaded yet'
  const follow = (status: StatusParams) => {
    const { running, backend, message } = status
    const failed = status.state === 'failed'
    state.busy = running.length > 0
    state.text = running.length > 0 ? `Running ${running.length}` : failed ? 'The last run failed' : 'Ready'
    state.detail = running.length > 0 ? running.map(stageText).join(', ') : message && inertText(message, 120)
    state.severity = failed ? LanguageStatusSeverity.Warning : LanguageStatusSeverity.Information
    void commands.executeCommand('setContext', 'assay.running', running.length > 0)
    if (backend === null) return
    engine.text = `Engine: ${inertText(backend.name, 40)}`
    engine.detail = inertText(
      backend.selfTest === 'passed' ? `${backend.device}, self-test passed` : `self-test failed: ${backend.selfTest}`,
      120,
    )
    engine.severity = backend.selfTest === 'passed' ? LanguageStatusSeverity.Information : LanguageStatusSeverity.Warning
  }
  const lives = server.onLife((life) => {
    state.busy = life === 'starting'
    state.text = { starting: 'Starting', running: 'Ready', stopped: 'Not running' }[life]
    state.detail = undefined
    state.severity = life === 'stopped' ? LanguageStatusSeverity.Error : LanguageStatusSeverity.Information
    void commands.executeCommand('setContext', 'assay.running', false)
  })
  const following = server.onStatus(follow)
  return { dispose: () => [state, engine, lives, following].forEach((one) => void one.dispose()) }
}
