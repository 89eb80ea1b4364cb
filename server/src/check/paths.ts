/** A path relative to a folder, without Node: `.` and `..` are resolved, both slashes are understood, absolute paths and URLs stay. */
export function joinPath(directory: string, path: string): string {
  if (isAbsolute(path)) return path
  const windows = /^[A-Za-z]:[\\/]/.test(directory) || directory.startsWith('\\\\')
  const separator = windows ? '\\' : '/'
  const root = /^([A-Za-z]:[\\/]|\\\\|[a-z][a-z0-9+.-]+:\/\/[^/]*\/?|\/)/i.exec(directory)?.[0] ?? ''
  const parts: string[] = []
  const split = windows ? /[\\/]+/ : /\/+/
  for (const part of [...directory.slice(root.length).split(split), ...path.split(split)]) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (root === '') parts.push('..')
  }
  return root + parts.join(separator) || '.'
}

export const directoryOf = (path: string): string => {
  const cut = Math.max(path.lastIndexOf('/'), /^[A-Za-z]:|\\\\/.test(path) ? path.lastIndexOf('\\') : -1)
  return cut < 0 ? '.' : cut === 0 ? '/' : path.slice(0, cut)
}

const isAbsolute = (path: string): boolean => /^(\/|\\\\|[A-Za-z]:[\\/]|[a-z][a-z0-9+.-]+:\/\/)/i.test(path)
