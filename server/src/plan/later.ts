/** What this version parses and checks but cannot run, in words that fit after "this version cannot run". */
export class Later extends Error {
  readonly what: string
  constructor(what: string) {
    super(`This version cannot run ${what}.`)
    this.what = what
  }
}
