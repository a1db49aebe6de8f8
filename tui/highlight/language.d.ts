/** A language of highlight.js. */
declare const language: object
// biome-ignore lint/style/noDefaultExport: the package has it
export default language
