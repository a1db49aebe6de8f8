/** The part of highlight.js that is used. Its own types bring those of browsers into every file. */
declare const hljs: {
  registerLanguage(name: string, language: object): void
  /** `value`: HTML, in which words have spans with classes. */
  highlight(text: string, options: { language: string; ignoreIllegals: boolean }): { value: string }
}
// biome-ignore lint/style/noDefaultExport: the package has it
export default hljs
