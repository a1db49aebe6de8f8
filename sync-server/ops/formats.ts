/** The formats of `export`: Markdown to read, the JSON of `clawlink-agent --json`, or only the shared files. */
export const FORMATS = ['md', 'json', 'files'] as const
export type Format = (typeof FORMATS)[number]
