import {
  type Disposable,
  type ExtensionContext,
  ProcessExecution,
  Task,
  TaskGroup,
  TaskScope,
  tasks,
  type WorkspaceFolder,
  workspace,
} from 'vscode'
import { commandLine, type TaskRequest, taskArguments, taskRequest } from './command-line.ts'
import { installationOf } from './installation.ts'

const mostSpecs = 50

/** Tasks of the type `assay`: the command line's `check` and `run` on a spec, with their problems in the list of problems. */
export function provideTasks(context: ExtensionContext): Disposable {
  const taskFor = (request: TaskRequest, scope: WorkspaceFolder | TaskScope): Task => {
    const settings = workspace.getConfiguration('assay')
    const args = taskArguments(request, { engine: settings.get('engine'), threads: settings.get('threads') })
    const { program, args: words, env } = commandLine(installationOf(context), args)
    const cwd = typeof scope === 'object' ? scope.uri.fsPath : undefined
    const definition = { type: 'assay', ...request }
    const name = [request.command, request.file, ...(request.names ?? [])].join(' ')
    const task = new Task(definition, scope, name, 'assay', new ProcessExecution(program, [...words], { cwd, env }), '$assay')
    task.group = request.command === 'check' ? TaskGroup.Build : TaskGroup.Test
    return task
  }
  return tasks.registerTaskProvider('assay', {
    provideTasks: async (token) => {
      const specs = await workspace.findFiles('**/*.assay', '**/{node_modules,dist,.assay}/**', mostSpecs, token)
      return specs.flatMap((spec) => {
        const folder = workspace.getWorkspaceFolder(spec)
        if (folder === undefined || spec.scheme !== 'file') return []
        const file = workspace.asRelativePath(spec, false)
        return (['check', 'run'] as const).map((command) => taskFor({ command, file }, folder))
      })
    },
    resolveTask: (given) => {
      const request = taskRequest(given.definition)
      if (request === undefined) return undefined
      const resolved = taskFor(
        request,
        typeof given.scope === 'object' ? given.scope : (workspace.workspaceFolders?.[0] ?? TaskScope.Workspace),
      )
      // The editor wants its own definition back.
      return new Task(given.definition, given.scope ?? TaskScope.Workspace, given.name, 'assay', resolved.execution, '$assay')
    },
  })
}
