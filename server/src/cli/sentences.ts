/** What the command line itself has to say; sentences about results are `report/wording.ts`'s. */

export function notBuilt(what: string): string {
  return `This version cannot do ${what} yet.`
}

export function systemReason(reason: unknown): string {
  const code = (reason as NodeJS.ErrnoException | undefined)?.code
  return (code && reasons[code]) ?? (reason instanceof Error ? reason.message : String(reason))
}
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EISDIR: 'it is a folder',
  EEXIST: 'a part of its path is a file',
  ENOTDIR: 'a part of its path is not a folder',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'its disk is read-only',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open',
}

export function cannotRead(path: string, reason: unknown): string {
  return `\`${path}\` cannot be read: ${systemReason(reason)}.`
}
export function cannotWrite(path: string, reason: unknown): string {
  return `\`${path}\` cannot be written: ${systemReason(reason)}. Nothing was changed there.`
}
export function isFolder(path: string): string {
  return `\`${path}\` is a folder; name an .assay file in it.`
}
export function missingFile(path: string, near: string | undefined): string {
  return `There is no file \`${path}\`.${near ? ` Did you mean \`${near}\`?` : ''}`
}
export function notText(path: string): string {
  return `\`${path}\` is not a text file in UTF-8.`
}
export function unknownName(name: string, file: string, near: string | undefined, known: readonly string[]): string {
  if (near) return `\`${file}\` declares no \`${name}\`. Did you mean \`${near}\`?`
  if (known.length === 0) return `\`${file}\` declares no \`${name}\`; it declares nothing.`
  const shown = known.slice(0, 12).map((k) => `\`${k}\``)
  return `\`${file}\` declares no \`${name}\`. It declares ${shown.join(', ')}${known.length > 12 ? ` and ${known.length - 12} more` : ''}.`
}
export function notAModel(name: string, kind: string): string {
  return `\`${name}\` is a ${kind}; only a model has a debugging index.`
}
export function notAComplaint(name: string, kind: string): string {
  return `\`${name}\` is a ${kind}; only a complaint can be watched.`
}
export const noComplaint = (file: string) => `\`${file}\` declares no complaint, so there is nothing to watch.`
export function whichComplaint(names: readonly string[]): string {
  return `Name one of the complaints: ${names.map((name) => `\`${name}\``).join(', ')}.`
}
export function nothingComputed(errors: number): string {
  return errors === 1 ? 'Nothing was computed: mend the error above first.' : `Nothing was computed: mend the ${errors} errors above first.`
}
export function noCacheFolder(root: string): string {
  return `No folder for the cache could be made, neither in ${root} nor under ASSAY_HOME. Set ASSAY_HOME to a folder that can be written.`
}
export const nothingDeclared = (file: string) => `\`${file}\` declares nothing, so there is nothing to run.`
export const formatted = (file: string) => `formatted ${file}`
export const wouldChange = (file: string) => `${file} is not formatted as \`assay format\` would write it.`
export const wroteReport = (file: string) => `report written to ${file}`
export const stoppedWatching = 'Stopped watching.'
export const interrupted = 'Cancelled. Nothing was left half-written.'
export const checkedWell = (files: number) => (files === 1 ? '1 file, no problems.' : `${files} files, no problems.`)
export function checkedBadly(errors: number, warnings: number): string {
  const parts = [
    errors > 0 ? `${errors} error${errors === 1 ? '' : 's'}` : '',
    warnings > 0 ? `${warnings} warning${warnings === 1 ? '' : 's'}` : '',
  ]
  return `${parts.filter((part) => part).join(', ') || 'No errors'}.`
}
export const onlyStdio = 'The language server speaks over standard input and output: an editor starts it as `assay lsp --stdio`.'
