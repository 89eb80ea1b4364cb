/**
 * `npm run code`: opens the editor on `examples/` with this checkout's extension: a local VS Code if there is one, else code-server in the browser.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cannot, everyday, findVsCode, folderOf, installed, onPath } from './host/hosts.mjs'
import { startServer } from './host/server.mjs'
import { makeSample } from './make-sample.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const examples = join(root, 'examples')
const first = join(examples, 'digits.assay')
makeSample(join(root, 'dist/sample'))
const real = findVsCode()
const host = installed(everyday)
if (real) {
  spawn(real, ['--new-window', `--extensionDevelopmentPath=${root}`, examples, first], { detached: true, stdio: 'ignore' }).unref()
  console.log(`VS Code opens ${examples}.`)
} else if (host) {
  await serve()
} else {
  console.error(
    `There is no VS Code here (\`code\` on the path, or its program in ASSAY_VSCODE), and no code-server: node scripts/host/install.mjs`,
  )
  process.exitCode = cannot
}

/** Until Ctrl-C. What is set in it stays: its user's folder lies beside it. */
async function serve() {
  const home = `${folderOf(everyday)}-user`
  const port = process.env.PORT
  const server = await startServer(host, { userData: join(home, 'data'), extensions: join(home, 'extensions'), port, trust: 'asked' })
  const remote = (path) => `vscode-remote://${server.authority}${path}`
  // A spec at once: an editor without one shows nothing of the extension.
  const payload = JSON.stringify([
    ['extensionDevelopmentPath', remote(root)],
    ['openFile', remote(first)],
  ])
  const address = `http://${server.authority}/?folder=${encodeURIComponent(examples)}&payload=${encodeURIComponent(payload)}`
  console.log(`code-server ${everyday} opens ${examples}:\n\n    ${address}\n\nCtrl-C ends it.`)
  const opener = process.platform === 'darwin' ? 'open' : (process.env.DISPLAY || process.env.WAYLAND_DISPLAY) && onPath(['xdg-open'])
  if (opener) spawn(opener, [address], { stdio: 'ignore' }).unref()
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void server.stop().then(() => process.exit(0)))
}
