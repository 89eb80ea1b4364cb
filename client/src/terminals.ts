import { type ExtensionContext, ProcessExecution, Task, TaskPanelKind, TaskRevealKind, TaskScope, tasks } from 'vscode'
import { commandLine } from './command-line.ts'
import { installationOf } from './installation.ts'

/** Runs a command of the command line where its output can be read: a task's terminal, which quotes nothing and works in every shell. */
export async function runInTerminal(context: ExtensionContext, title: string, args: readonly string[]): Promise<void> {
  const { program, args: words, env } = commandLine(installationOf(context), args)
  const task = new Task(
    { type: 'assay', command: args.join(' ') },
    TaskScope.Workspace,
    title,
    'assay',
    new ProcessExecution(program, [...words], { env }),
  )
  task.presentationOptions = { reveal: TaskRevealKind.Always, panel: TaskPanelKind.Dedicated, clear: true }
  await tasks.executeTask(task)
}
