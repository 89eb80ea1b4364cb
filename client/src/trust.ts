import { type Disposable, workspace } from 'vscode'
import { notifications } from '../../server/src/protocol/messages.ts'
import type { Server } from './server.ts'

/** Until the workspace is trusted, the server reads no data and runs nothing; it learns of the moment at once. */
export function tellTrust(server: Server): Disposable {
  return workspace.onDidGrantWorkspaceTrust(async () => {
    const client = await server.ready()
    await client.sendNotification(notifications.trust)
  })
}
