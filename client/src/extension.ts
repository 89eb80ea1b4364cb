import type { ExtensionContext } from 'vscode'

/** The extension's entry. */
export async function activate(_context: ExtensionContext): Promise<void> {}
export async function deactivate(): Promise<void> {}
